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
    var edges = Edges.later

    /// What a token is of that has letters of two parts.
    enum Edges: Equatable {
        /// Of the later one.
        case later
        /// Of the learnt one, as in transformers' `return_assistant_tokens_mask`: from the token of a
        /// learnt part's first character to that of its last, or the first of several that the last is
        /// spelled in.
        case touched
    }

    /// The text's tokens. The whole is encoded at once, so that a learnt text is encoded as any other.
    /// - Parameter counts: of the tokenizer; nil where it has none, or for few texts.
    func encode(
        with tokenizer: Tokenizer, counts: TokenByteCounts? = nil
    ) throws -> CompletionExample {
        let text = parts.count == 1 ? parts[0].text : parts.map(\.text).joined()
        var whole = try tokenizer.encode(text, addingSpecialTokens: isFramed).ids
        var isTrained: [Bool]
        if parts.count == 1 {
            isTrained = whole.map { _ in parts[0].isLearnt }
        } else if let ends = counts?.ends(of: whole, in: text) {
            isTrained = learnt(endingAt: ends)
        } else {
            isTrained = try learnt(whole, text, tokenizer)
        }
        if isEnded, let end = tokenizer.endOfTextID, whole.last != end {
            whole.append(end)
            isTrained.append(parts.last?.isLearnt ?? false)
        }
        return CompletionExample(ids: whole, isTrained: isTrained)
    }

    /// Which tokens are learnt that end at these bytes of the text.
    private func learnt(endingAt ends: [Int]) -> [Bool] {
        var isTrained = [Bool](repeating: false, count: ends.count)
        var (edge, token) = (0, 0)
        for part in parts {
            let end = edge + part.text.utf8.count
            // The first token that has a byte of the part, and none of what stands before.
            while token < ends.count, ends[token] <= edge { token += 1 }
            if edges == .touched {
                let width = part.text.unicodeScalars.last.map { UTF8.width($0) } ?? 0
                var last = token
                while last < ends.count, ends[last] <= end - width { last += 1 }
                if part.isLearnt, last < ends.count {
                    for place in token...max(token, last) { isTrained[place] = true }
                }
            } else if part.isLearnt {
                var place = token
                while place < ends.count, ends[place] <= end {
                    isTrained[place] = true
                    place += 1
                }
            }
            edge = end
        }
        return isTrained
    }

    private func learnt(
        _ whole: [Int], _ text: String, _ tokenizer: Tokenizer
    ) throws -> [Bool] {
        let spans = TokenSpans(of: whole, in: text, tokenizer)
        if edges == .touched, spans.areWhole { return touched(spans) }
        var isTrained = whole.map { _ in false }
        var start = 0
        for (part, end) in zip(parts, try ends(of: whole, spans, tokenizer)) {
            if part.isLearnt { for place in start..<max(start, end) { isTrained[place] = true } }
            start = max(start, end)
        }
        return isTrained
    }

    private func touched(_ spans: TokenSpans) -> [Bool] {
        var isTrained = spans.ranges.map { _ in false }
        var edge = 0
        for part in parts {
            let end = edge + part.text.unicodeScalars.count
            if part.isLearnt, let first = spans.token(at: edge),
                let last = spans.token(at: end - 1),
                first <= last
            {
                for place in first...last { isTrained[place] = true }
            }
            edge = end
        }
        return isTrained
    }

    private func ids(of parts: ArraySlice<Part>, _ tokenizer: Tokenizer) throws -> [Int] {
        try tokenizer.encode(
            parts.map(\.text).joined(), addingSpecialTokens: isFramed
        ).ids
    }

    /// How many of all tokens come before the end of each part; what frames the text is of the last.
    private func ends(
        of whole: [Int], _ spans: TokenSpans, _ tokenizer: Tokenizer
    ) throws -> [Int] {
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
