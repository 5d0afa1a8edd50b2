/// The added tokens of a tokenizer and how a text is split at them: `AddedVocabulary` of
/// `tokenizers` (`tokenizer/added_vocabulary.rs`).
struct AddedTokens: Sendable {
    /// A stretch of text between added tokens, or an added token.
    enum Segment: Equatable, Sendable {
        /// - Parameter opening: how many of the scalars stand for the first one of the whole text.
        case text([Unicode.Scalar], opening: Int)
        case token(Piece)
    }

    private(set) var tokens: [Int: AddedToken] = [:]
    /// The normalized forms of tokens that are searched for so, where they differ.
    private(set) var normalizedForms: [Int: String] = [:]
    private var idOfContent: [[Unicode.Scalar]: Int] = [:]
    /// The spellings of tokens that are special, or were before another with the spelling was added.
    private(set) var specialSpellings: Set<[UInt8]> = []
    /// Whether special tokens that are spelled out in a text are passed over.
    private let splitsSpecial: Bool
    /// Patterns searched for in the text as given, and in the normalized text.
    private var literalPatterns = ScalarTrie()
    private var normalizedPatterns = ScalarTrie()

    /// Numbers the tokens as `tokenizers` does: a token of the vocabulary keeps its id, any other
    /// gets the next free one. The ids in `tokenizer.json` are only the outcome of this.
    ///
    /// Two tokens may normalize to one form; `tokenizers` then finds either, here the lower id.
    ///
    /// - Parameter later: tokens that are added when the listed ones have their ids.
    init(
        _ listed: [AddedToken], then later: [AddedToken] = [], splitsSpecial: Bool = false,
        vocabulary: Vocabulary, normalizer: (any Normalizer)?, file: String
    ) throws(TokenizerError) {
        self.splitsSpecial = splitsSpecial
        do throws(RegexError) {
            try add(listed, vocabulary, normalizer)
            try add(later, vocabulary, normalizer)
        } catch {
            throw .unusableValue(file: file, field: "normalizer", reason: error.reason)
        }
        for (id, token) in tokens.sorted(by: { $0.key > $1.key }) {
            let content = Array(token.content.unicodeScalars)
            guard token.normalized else {
                literalPatterns.insert(content, value: id)
                continue
            }
            let pattern = normalizedForms[id].map { Array($0.unicodeScalars) } ?? content
            // `tokenizers` would find such a token before every character.
            guard !pattern.isEmpty else {
                throw .invalidValue(
                    file: file, field: "added_tokens", found: "'\(token.content)'",
                    expected: "a token of which normalization leaves something")
            }
            normalizedPatterns.insert(pattern, value: id)
        }
    }

    /// A token that is there already is matched as the latest with its spelling says.
    private mutating func add(
        _ batch: [AddedToken], _ vocabulary: Vocabulary, _ normalizer: (any Normalizer)?
    ) throws(RegexError) {
        var next = max(vocabulary.count, (tokens.keys.max() ?? -1) + 1)
        for token in batch where !token.content.isEmpty {
            let content = Array(token.content.unicodeScalars)
            let known = idOfContent[content] ?? vocabulary.id(for: token.content)
            let id = known ?? next
            if known == nil { next += 1 }
            if token.normalized, let form = try normalizer?.normalize(content), form != content {
                normalizedForms[id] = String(scalars: form)
            }
            idOfContent[content] = id
            tokens[id] = token
            if token.special { specialSpellings.insert(Array(token.content.utf8)) }
        }
    }

    func id(for content: String) -> Int? {
        idOfContent[Array(content.unicodeScalars)]
    }

    /// Splits at literal tokens, normalizes the rest, and splits that at normalized tokens.
    ///
    /// - Parameter asksForOpening: whether anyone asks what stands for the first scalar.
    func split(
        _ text: [Unicode.Scalar], normalizer: (any Normalizer)?, asksForOpening: Bool = true
    ) throws(RegexError) -> [Segment] {
        var segments: [Segment] = []
        for segment in split(text, at: literalPatterns, opening: 1) {
            guard case .text(let literal, var opening) = segment else {
                segments.append(segment)
                continue
            }
            let normalized =
                try normalizer?.normalize(literal, startsText: opening > 0) ?? literal
            if asksForOpening, let normalizer {
                opening = try normalizer.opening(opening, of: literal)
            }
            segments += split(normalized, at: normalizedPatterns, opening: opening)
        }
        return segments
    }

    /// Takes the leftmost longest pattern, again and again. A match that its token's flags refuse
    /// is passed over as a whole.
    private func split(
        _ text: [Unicode.Scalar], at patterns: ScalarTrie, opening: Int
    ) -> [Segment] {
        guard !text.isEmpty else { return [] }
        guard !patterns.isEmpty else { return [.text(text, opening: opening)] }
        func stretch(_ range: Range<Int>) -> Segment {
            .text(Array(text[range]), opening: max(0, opening - range.lowerBound))
        }
        var segments: [Segment] = []
        var covered = 0
        var position = 0
        while position < text.count {
            guard let match = patterns.longestMatch(in: text[...], at: position) else {
                position += 1
                continue
            }
            let matched = position..<match.end
            position = match.end
            guard let token = tokens[match.value], accepts(token, at: matched, in: text) else {
                continue
            }
            // White space that an earlier token swallowed is no token again.
            guard let range = widened(matched, for: token, in: text, from: covered) else {
                continue
            }
            if covered < range.lowerBound {
                segments.append(stretch(covered..<range.lowerBound))
            }
            segments.append(.token(Piece(id: match.value, token: String(scalars: text[range]))))
            covered = range.upperBound
        }
        if covered < text.count {
            segments.append(stretch(covered..<text.count))
        }
        return segments
    }

    private func accepts(
        _ token: AddedToken, at range: Range<Int>, in text: [Unicode.Scalar]
    ) -> Bool {
        if splitsSpecial, specialSpellings.contains(Array(token.content.utf8)) { return false }
        guard token.singleWord else { return true }
        let touchesLeft = range.lowerBound > 0 && text[range.lowerBound - 1].isRegexWord
        let touchesRight = range.upperBound < text.count && text[range.upperBound].isRegexWord
        return !touchesLeft && !touchesRight
    }

    /// Adds the white space that a token swallows, on the left not beyond `covered`; nil where all of
    /// it is covered.
    private func widened(
        _ range: Range<Int>, for token: AddedToken, in text: [Unicode.Scalar], from covered: Int
    ) -> Range<Int>? {
        var (lower, upper) = (range.lowerBound, range.upperBound)
        if token.stripsLeft {
            while lower > 0, text[lower - 1].isRustWhitespace { lower -= 1 }
            lower = max(lower, covered)
        }
        if token.stripsRight {
            while upper < text.count, text[upper].isRustWhitespace { upper += 1 }
        }
        return lower < upper ? lower..<upper : nil
    }
}
