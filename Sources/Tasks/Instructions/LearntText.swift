import DualTokenization
import DualTraining

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
        var whole = try ids(of: parts[...], tokenizer)
        var isTrained = whole.map { _ in false }
        var start = 0
        for (part, end) in zip(parts, try ends(of: whole, tokenizer)) {
            if part.isLearnt { for place in start..<max(start, end) { isTrained[place] = true } }
            start = max(start, end)
        }
        if isEnded, let end = tokenizer.endOfTextID, whole.last != end {
            whole.append(end)
            isTrained.append(parts.last?.isLearnt ?? false)
        }
        return CompletionExample(ids: whole, isTrained: isTrained)
    }

    private func ids(of parts: ArraySlice<Part>, _ tokenizer: Tokenizer) throws -> [Int] {
        try tokenizer.encode(
            parts.map(\.text).joined(), addingSpecialTokens: isFramed
        ).ids
    }

    /// How many of all tokens come before the end of each part; what frames the text is of the last.
    private func ends(of whole: [Int], _ tokenizer: Tokenizer) throws -> [Int] {
        guard parts.count > 1 else { return [whole.count] }
        let spans = TokenSpans(of: whole, in: parts.map(\.text).joined(), tokenizer)
        var ends: [Int] = []
        var edge = 0
        for (number, part) in parts.enumerated().dropLast() {
            edge += part.text.unicodeScalars.count
            // A tokenizer that rewrites its text still has the tokens that the parts begin with.
            ends.append(
                try spans.count(before: edge)
                    ?? Self.commonPrefix(whole, ids(of: parts[...number], tokenizer)))
        }
        return ends + [whole.count]
    }

    /// Tokens that two sequences begin with alike.
    private static func commonPrefix(_ a: [Int], _ b: [Int]) -> Int {
        zip(a, b).prefix { $0 == $1 }.count
    }
}
