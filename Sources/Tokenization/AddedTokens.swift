/// The added tokens of a tokenizer and how a text is split at them: `AddedVocabulary` of
/// `tokenizers` (`tokenizer/added_vocabulary.rs`).
struct AddedTokens: Sendable {
    /// A stretch of text between added tokens, or an added token.
    enum Segment: Equatable, Sendable {
        case text([Unicode.Scalar], startsText: Bool)
        case token(Piece)
    }

    private(set) var tokens: [Int: AddedToken] = [:]
    /// The normalized forms of tokens that are searched for so, where they differ.
    private(set) var normalizedForms: [Int: String] = [:]
    private var idOfContent: [[Unicode.Scalar]: Int] = [:]
    /// Patterns searched for in the text as given, and in the normalized text.
    private var literalPatterns = ScalarTrie()
    private var normalizedPatterns = ScalarTrie()

    /// Numbers the tokens as `tokenizers` does: a token of the vocabulary keeps its id, any other
    /// gets the next free one. The ids in `tokenizer.json` are only the outcome of this.
    ///
    /// Two tokens may normalize to one form; `tokenizers` then finds either, here the lower id.
    init(
        _ listed: [AddedToken], vocabulary: Vocabulary, normalizer: (any Normalizer)?, file: String
    ) throws(TokenizerError) {
        var next = vocabulary.count
        for token in listed where !token.content.isEmpty {
            let content = Array(token.content.unicodeScalars)
            let known = idOfContent[content] ?? vocabulary.id(for: token.content)
            let id = known ?? next
            if known == nil { next += 1 }
            idOfContent[content] = id
            tokens[id] = token
        }
        for (id, token) in tokens.sorted(by: { $0.key > $1.key }) {
            let content = Array(token.content.unicodeScalars)
            guard token.normalized else {
                literalPatterns.insert(content, value: id)
                continue
            }
            let pattern = normalizer?.normalize(content) ?? content
            guard !pattern.isEmpty else {
                throw .invalidValue(
                    file: file, field: "added_tokens", found: "'\(token.content)'",
                    expected: "a token of which normalization leaves something")
            }
            if pattern != content { normalizedForms[id] = String(scalars: pattern) }
            normalizedPatterns.insert(pattern, value: id)
        }
    }

    func id(for content: String) -> Int? {
        idOfContent[Array(content.unicodeScalars)]
    }

    /// Splits at literal tokens, normalizes the rest, and splits that at normalized tokens.
    func split(_ text: [Unicode.Scalar], normalizer: (any Normalizer)?) -> [Segment] {
        var segments: [Segment] = []
        for segment in split(text, at: literalPatterns, startsText: true) {
            guard case .text(let literal, let startsText) = segment else {
                segments.append(segment)
                continue
            }
            let normalized =
                normalizer?.normalize(literal, startsText: startsText) ?? literal
            segments += split(normalized, at: normalizedPatterns, startsText: startsText)
        }
        return segments
    }

    /// Takes the leftmost longest pattern, again and again. A match that its token's flags refuse
    /// is passed over as a whole.
    private func split(
        _ text: [Unicode.Scalar], at patterns: ScalarTrie, startsText: Bool
    ) -> [Segment] {
        guard !text.isEmpty else { return [] }
        guard !patterns.isEmpty else { return [.text(text, startsText: startsText)] }
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
            let range = widened(matched, for: token, in: text, from: covered)
            if covered < range.lowerBound {
                segments.append(
                    .text(
                        Array(text[covered..<range.lowerBound]),
                        startsText: startsText && covered == 0))
            }
            segments.append(.token(Piece(id: match.value, token: String(scalars: text[range]))))
            covered = range.upperBound
        }
        if covered < text.count {
            segments.append(
                .text(Array(text[covered...]), startsText: startsText && covered == 0))
        }
        return segments
    }

    private func accepts(
        _ token: AddedToken, at range: Range<Int>, in text: [Unicode.Scalar]
    ) -> Bool {
        guard token.singleWord else { return true }
        let touchesLeft = range.lowerBound > 0 && text[range.lowerBound - 1].isRegexWord
        let touchesRight = range.upperBound < text.count && text[range.upperBound].isRegexWord
        return !touchesLeft && !touchesRight
    }

    /// Adds the white space that a token swallows, on the left not beyond `covered`.
    private func widened(
        _ range: Range<Int>, for token: AddedToken, in text: [Unicode.Scalar], from covered: Int
    ) -> Range<Int> {
        var (lower, upper) = (range.lowerBound, range.upperBound)
        if token.stripsLeft {
            while lower > 0, text[lower - 1].isRustWhitespace { lower -= 1 }
            lower = max(lower, covered)
        }
        if token.stripsRight {
            while upper < text.count, text[upper].isRustWhitespace { upper += 1 }
        }
        return lower..<upper
    }
}
