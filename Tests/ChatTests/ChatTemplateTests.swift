import Testing

@testable import DualChat

@Suite struct ChatTemplateTests {
    @Test("A template sees messages, tokens and the generation prompt")
    func contextReachesTheTemplate() throws {
        let template = try ChatTemplate(
            source: """
                {{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m['content'] | trim }}
                {% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}
                """, name: "chat_template.jinja", specialTokens: ["bos_token": "<s>"])
        let messages = [
            ChatMessage(role: "user", content: " Hi "),
            ChatMessage(role: "assistant", content: "Hello"),
        ]
        #expect(
            try template.render(messages, addGenerationPrompt: true)
                == "<s>[user] Hi\n[assistant] Hello\n[assistant]")
        #expect(
            try template.render(messages, addGenerationPrompt: false)
                == "<s>[user] Hi\n[assistant] Hello\n")
    }
}
