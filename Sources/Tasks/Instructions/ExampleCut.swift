import DualTraining

/// What becomes of an example that has too many tokens.
struct ExampleCut: Sendable {
    let truncation: InstructionTraining.Truncation
    let limit: Int
    /// The token that begins a text, which is kept.
    let beginning: Int?

    /// The example with as many tokens as there may be; nil where it is left out.
    ///
    /// Where the question alone has as many, it is cut at its beginning, so that the answer is learnt behind
    /// the question's end. What each then has room for is LLaMA-Factory's choice (`infer_seqlen`).
    func callAsFunction(_ example: CompletionExample) -> CompletionExample? {
        let count = example.ids.count
        guard count > limit else { return example }
        let answer = example.isTrained.firstIndex(of: true) ?? count
        switch truncation {
        case .drop: return nil
        case .end:
            guard answer < count, answer >= limit else {
                return kept(0..<limit, of: example)
            }
            let shares = Self.shares(question: answer, answer: count - answer, limit: limit)
            return kept(answer - shares.question..<answer + shares.answer, of: example)
        case .start:
            // An answer whose end alone has as many tokens is what is kept.
            return kept(count - limit..<count, of: example)
        }
    }

    /// Whether an example loses the beginning of its question, so that there is room for the answer.
    func cutsQuestion(of example: CompletionExample) -> Bool {
        guard truncation == .end, example.ids.count > limit else { return false }
        return example.isTrained.firstIndex(of: true).map { $0 >= limit } ?? false
    }

    /// A stretch of as many tokens as there may be, whose first gives way to the one that begins a text.
    private func kept(_ range: Range<Int>, of example: CompletionExample) -> CompletionExample {
        let beginsText = example.ids.first == beginning && beginning != nil
        let indices =
            beginsText && range.lowerBound > 0
            ? [0] + Array(range.dropFirst()) : Array(range)
        return CompletionExample(
            ids: indices.map { example.ids[$0] }, isTrained: indices.map { example.isTrained[$0] },
            uncutLength: example.ids.count)
    }

    /// Tokens of a question and an answer that together have too many.
    static func shares(question: Int, answer: Int, limit: Int) -> (question: Int, answer: Int) {
        let most: Int =
            if answer * 2 < limit {
                limit
            } else if question * 2 < limit {
                limit - question
            } else {
                Int(Double(limit) * (Double(answer) / Double(question + answer)))
            }
        let kept = min(max(1, most), answer)
        return (min(limit - kept, question), kept)
    }
}
