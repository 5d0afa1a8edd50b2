import DualChat
import DualGeneration
import DualTokenization
import TestSupport
import Testing

/// Conversations of bytes with a model that has 64 positions and answers `a` by `baba...`.
@Suite struct ConversationTests {
    private func conversation(
        tokens: Int? = nil, length: Int? = nil
    ) throws -> Conversation {
        let template = try ChatTemplate(
            source: "{% for m in messages %}{{ m.content }}{% endfor %}", name: "t")
        let model = try MarkovModel(chain: "aba".utf8.map(Int.init), vocabulary: 256)
        var options = GenerationOptions()
        options.maximumNewTokens = tokens
        options.maximumLength = length
        return try Conversation(
            with: TextGenerator(model: model, tokenizer: try Tokenizer.ofBytes()),
            template: template, options: options)
    }

    @Test("What is longer than the model reads is refused, and goes on without its last messages")
    func positions() throws {
        var talk = try conversation(tokens: 30)
        for length in [30, 30, 2] {
            try talk.ask("a")
            #expect(talk.messages.last?.content.count == length)
        }
        let before = talk.messages
        #expect(throws: GenerationError.noRoom(tokens: 66, positions: 64)) { try talk.ask("a") }
        #expect(talk.messages == before)
        let isUndone = talk.undo()
        #expect(isUndone)
        try talk.ask("a")
        #expect(talk.messages == before)
    }

    @Test("A max_length of the model's that is reached is named as such")
    func maximumLength() throws {
        var talk = try conversation(length: 8)
        try talk.ask("a")
        #expect(talk.messages.last?.content == "bababab")
        #expect(
            message { _ = try talk.ask("a") }
                == "`max-tokens`: must be given: the conversation has 9 tokens, and the model's "
                + "generation_config.json has a max_length of 8")
    }
}
