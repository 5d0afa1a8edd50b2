import DualChat
import DualDatasets
import DualTraining

/// Conversations in the words of a chat template, with what an assistant says marked.
struct ConversationText {
    let template: ChatTemplate
    /// Of the assistant's messages, only the last one is learnt.
    let onlyLast: Bool
    let learnsAll: Bool

    /// A conversation as the text or texts to learn from.
    ///
    /// An answer is what the template writes between the prompt for it and the end of its message. Where the
    /// template writes an answer otherwise once others follow it (as those do that drop an earlier answer's
    /// thoughts), there is a text for each answer, which ends with it.
    /// - Throws: what the template says of the conversation, ``CompletionDataError``.
    func texts(_ turns: [ChatTurn]) throws -> [LearntText] {
        let messages = turns.map(\.message)
        let whole = try template.render(messages, addGenerationPrompt: false)
        if learnsAll { return [text([.init(text: whole, isLearnt: true)])] }
        let answers = learntAnswers(turns)
        let spans = try answers.map { try span(of: $0, in: messages) }
        if spans.allSatisfy({ whole.utf8.starts(with: $0.whole.utf8) }) {
            return [text(parts(of: whole, learning: spans.map(\.answer)))]
        }
        return spans.map { text(parts(of: $0.whole, learning: [$0.answer])) }
    }

    private func learntAnswers(_ turns: [ChatTurn]) -> [Int] {
        let learnt = turns.indices.filter { turns[$0].isLearnt }
        return onlyLast ? learnt.suffix(1) : learnt
    }

    /// The conversation up to an answer, and where in it, in bytes, the answer stands.
    private func span(
        of answer: Int, in messages: [ChatMessage]
    ) throws -> (whole: String, answer: Range<Int>) {
        let prompt = try template.render(
            Array(messages[..<answer]), addGenerationPrompt: true)
        let whole = try template.render(
            Array(messages[...answer]), addGenerationPrompt: false)
        guard whole.utf8.starts(with: prompt.utf8), whole.utf8.count > prompt.utf8.count else {
            throw CompletionDataError.answerNotFound(message: answer + 1)
        }
        return (whole, prompt.utf8.count..<whole.utf8.count)
    }

    private func parts(of whole: String, learning ranges: [Range<Int>]) -> [LearntText.Part] {
        let bytes = Array(whole.utf8)
        var parts: [LearntText.Part] = []
        var start = 0
        func add(_ end: Int, isLearnt: Bool) {
            guard end > start else { return }
            let text = String(decoding: bytes[start..<end], as: UTF8.self)
            parts.append(.init(text: text, isLearnt: isLearnt))
            start = end
        }
        for range in ranges {
            add(range.lowerBound, isLearnt: false)
            add(range.upperBound, isLearnt: true)
        }
        add(bytes.count, isLearnt: false)
        return parts
    }

    private func text(_ parts: [LearntText.Part]) -> LearntText {
        LearntText(parts: parts, isFramed: false, isEnded: false)
    }
}
