import Foundation
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

    @Test("A template keeps what it is told of variables and of the time")
    func whatATemplateIsTold() throws {
        var template = try ChatTemplate(
            source: "{{ name }} {{ strftime_now('%d %b %Y %H:%M:%S') }}", name: "x")
        #expect(template.asksForDate)
        template.variables = ["name": "a"]
        template.date = ChatTemplate.date("2024-02-29T23:59:58")
        let messages = [ChatMessage(role: "user", content: "Hi")]
        #expect(
            try template.render(messages, addGenerationPrompt: false) == "a 29 Feb 2024 23:59:58")
        let now = try #require(ChatTemplate.date("2025-01-02"))
        #expect(
            try template.render(
                messages, addGenerationPrompt: false, variables: ["name": "b"], now: now)
                == "b 02 Jan 2025 00:00:00")
    }

    @Test("A moment is read back as it was written")
    func moments() throws {
        for text in ["1999-12-31T00:00:00", "2026-07-31T12:34:56", "2038-06-01T23:59:59"] {
            #expect(try ChatTemplate.text(of: #require(ChatTemplate.date(text))) == text)
        }
        #expect(
            ChatTemplate.date("2026-07-31 12:00:00") == ChatTemplate.date("2026-07-31T12:00:00"))
        #expect(ChatTemplate.date("2026-07-31") == ChatTemplate.date("2026-07-31T00:00:00"))
    }

    @Test(
        "What is no moment is none",
        arguments: [
            "", "today", "2026-02-30", "2026-13-01", "2026-1-1", "2026-07-31T24:00:00",
            "2026-07-31T12:00", "2026-07-31T12:00:00Z", " 2026-07-31",
        ])
    func noMoments(_ text: String) { #expect(ChatTemplate.date(text) == nil) }
}
