import DualTokenization

/// A text with the parts of it that a model learns to say.
struct LearntText: Equatable {
    struct Part: Equatable {
        let text: String
        let isLearnt: Bool
    }

    var parts: [Part]
    /// Whether the tokenizer puts its special tokens around the text; a chat template has written them
    /// already.
    var isFramed: Bool
    /// Whether the token that ends a text comes behind it.
    var isEnded: Bool

    /// The text's tokens. The whole is encoded at once, so that a learnt text is encoded as any other; where
    /// a token has letters of two parts, it is of the later one.
    func encode(with tokenizer: Tokenizer) throws -> CompletionExample {
        func ids(_ parts: ArraySlice<Part>) throws -> [Int] {
            try tokenizer.encode(
                parts.map(\.text).joined(), addingSpecialTokens: isFramed
            ).ids
        }
        var whole = try ids(parts[...])
        var isTrained = whole.map { _ in false }
        var start = 0
        for (number, part) in parts.enumerated() {
            let isLast = number == parts.count - 1
            let end =
                isLast
                ? whole.count : max(start, Self.commonPrefix(whole, try ids(parts[...number])))
            if part.isLearnt { for place in start..<end { isTrained[place] = true } }
            start = end
        }
        if isEnded, let end = tokenizer.endOfTextID, whole.last != end {
            whole.append(end)
            isTrained.append(parts.last?.isLearnt ?? false)
        }
        return CompletionExample(ids: whole, isTrained: isTrained)
    }

    /// Tokens that two sequences begin with alike.
    private static func commonPrefix(_ a: [Int], _ b: [Int]) -> Int {
        zip(a, b).prefix { $0 == $1 }.count
    }
}
