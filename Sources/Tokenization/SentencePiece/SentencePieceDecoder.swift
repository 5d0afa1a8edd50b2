/// The way back of `sentencepiece` (`SentencePieceProcessor::Decode`): U+2581 becomes a space, but
/// for the one that was put before the text, and bytes become characters, one by one.
struct SentencePieceDecoder: TokenDecoder {
    private let rules: Rules
    private let denormalizer: SentencePieceNormalizer?

    private struct Rules: Sendable {
        let inventory: SentencePieceInventory
        let unknownSurface: String
        /// Whether a space at the start of the text goes, and whether all of them go.
        let dropsFirstSpace: Bool
        let dropsAllSpaces: Bool
    }

    init(
        _ inventory: SentencePieceInventory, of model: SentencePieceFile,
        denormalizer: SentencePieceNormalizer?
    ) {
        let drops = model.normalization.removesExtraWhitespace
        rules = Rules(
            inventory: inventory, unknownSurface: model.training.unknownSurface,
            dropsFirstSpace: drops || model.normalization.addsDummyPrefix, dropsAllSpaces: drops)
        self.denormalizer = denormalizer
    }

    func makeStream() -> any TokenStream {
        WholeTokens(Rewriter(rules: rules, denormalizer: denormalizer))
    }

    private struct Rewriter: TokenRewriter {
        let rules: Rules
        let denormalizer: SentencePieceNormalizer?
        var bytes = ByteRun()
        var isAtStart = true
        var hasDroppedSpace = false
        var hasText = false
        /// All text so far, for a denormalizer that must see it as a whole.
        var held = ""

        mutating func rewrite(_ token: String) -> [String] {
            let id = rules.inventory.vocabulary.id(for: token)
            let kind = id.map { rules.inventory.kinds[$0] }
            if kind == .byte, let byte = SentencePieceByte.value(of: token) {
                return emit(bytes.append(byte))
            }
            let before = bytes.finish()
            hasText = hasText || !before.isEmpty
            if hasDroppedSpace || hasText { isAtStart = false }
            switch kind {
            case .control: return emit(before)
            case .unknown: return emit(before + rules.unknownSurface)
            // What is no piece stands for itself, such as a token that was added later.
            case nil: return emit(before + token)
            default: return emit(before + text(of: token))
            }
        }

        mutating func finish() -> [String] {
            let pieces = emit(bytes.finish())
            guard let denormalizer else { return pieces }
            return [String(scalars: denormalizer.normalize(Array(held.unicodeScalars)))]
        }

        private mutating func text(of token: String) -> String {
            var scalars = token.unicodeScalars[...]
            hasDroppedSpace = false
            if isAtStart, rules.dropsFirstSpace, scalars.first == SentencePieceNormalizer.space {
                scalars.removeFirst()
                hasDroppedSpace = !rules.dropsAllSpaces
            }
            return String(
                scalars: scalars.map { $0 == SentencePieceNormalizer.space ? " " : $0 })
        }

        private mutating func emit(_ text: String) -> [String] {
            hasText = hasText || !text.isEmpty
            if denormalizer != nil {
                held += text
                return []
            }
            return text.isEmpty ? [] : [text]
        }
    }
}

/// Bytes that come one by one, turned into characters as soon as these are complete. A byte that
/// cannot be part of one becomes U+FFFD.
private struct ByteRun {
    private var pending: [UInt8] = []

    mutating func append(_ byte: UInt8) -> String {
        pending.append(byte)
        return take(isLast: false)
    }

    mutating func finish() -> String { take(isLast: true) }

    private mutating func take(isLast: Bool) -> String {
        var text = ""
        while !pending.isEmpty {
            if let character = String(validating: pending, as: UTF8.self) {
                text += character
                pending = []
            } else if !isLast, UTF8Tail.length(of: pending) == pending.count {
                break
            } else {
                text += "\u{FFFD}"
                pending.removeFirst()
            }
        }
        return text
    }
}
