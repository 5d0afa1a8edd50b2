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
    /// Where the template says what the assistant generates, that is learnt. Else an answer is what the
    /// template writes between the prompt for it and the end of its message. Where the template writes an
    /// answer otherwise once others follow it (as those do that drop an earlier answer's thoughts), there
    /// is a text for each answer, which ends with it.
    /// - Parameter variables: what the template may ask for besides the messages.
    /// - Throws: what the template says of the conversation, ``CompletionDataError``.
    func texts(
        _ turns: [ChatTurn], variables: [String: TemplateValue] = [:]
    ) throws -> [LearntText] {
        let talk = Talk(messages: turns.map(\.message), variables: variables, template: template)
        try template.checkWrites(talk.messages, variables: variables)
        let (whole, generated) = try talk.render(talk.messages.count)
        if learnsAll { return [text([.init(text: whole, isLearnt: true)])] }
        let answers = learntAnswers(turns)
        if let generated {
            let learnt = try marked(generated, by: answers, of: turns, talk)
            return [text(parts(of: whole, learning: learnt), edges: .touched)]
        }
        let spans = try answers.map { try span(of: $0, in: talk, whole) }
        if spans.allSatisfy({ whole.utf8.starts(with: $0.whole.utf8) }) {
            return [text(parts(of: whole, learning: spans.map(\.answer)))]
        }
        return spans.map { text(parts(of: $0.whole, learning: [$0.answer])) }
    }

    /// A conversation and what renders it.
    private struct Talk {
        let messages: [ChatMessage]
        let variables: [String: TemplateValue]
        let template: ChatTemplate

        /// The text of the first so many messages, and what of it is marked.
        func render(
            _ count: Int, prompting: Bool = false
        ) throws -> (text: String, generated: [Range<Int>]?) {
            try template.renderTracked(
                Array(messages[..<count]), addGenerationPrompt: prompting, variables: variables)
        }
    }

    private func learntAnswers(_ turns: [ChatTurn]) -> [Int] {
        let learnt = turns.indices.filter { turns[$0].isLearnt }
        return onlyLast ? learnt.suffix(1) : learnt
    }

    /// What the template marks of the answers that are learnt: of each as many ranges as its message
    /// adds.
    private func marked(
        _ generated: [Range<Int>], by answers: [Int], of turns: [ChatTurn], _ talk: Talk
    ) throws -> [Range<Int>] {
        let all = turns.indices.filter { turns[$0].message.role == "assistant" }
        if answers == all { return generated }
        return try answers.flatMap { answer in
            let before = try answer == 0 ? 0 : talk.render(answer).generated?.count ?? 0
            let after =
                answer + 1 == turns.count
                ? generated.count : try talk.render(answer + 1).generated?.count ?? 0
            guard before <= after, after <= generated.count else {
                throw CompletionDataError.answerNotFound(message: answer + 1)
            }
            return generated[before..<after]
        }
    }

    /// The conversation up to an answer, and where in it, in bytes, the answer stands.
    private func span(
        of answer: Int, in talk: Talk, _ whole: String
    ) throws -> (whole: String, answer: Range<Int>) {
        let prompt = try talk.render(answer, prompting: true).text
        let whole = answer + 1 == talk.messages.count ? whole : try talk.render(answer + 1).text
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

    private func text(
        _ parts: [LearntText.Part], edges: LearntText.Edges = .later
    ) -> LearntText {
        LearntText(parts: parts, isFramed: false, isEnded: false, edges: edges)
    }
}
