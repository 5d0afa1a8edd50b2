import Testing

@testable import DualChat

@Suite struct RefusalTests {
    /// What a template is refused with before it sees a conversation.
    private func reading(_ source: String) -> ChatTemplateError? {
        do {
            _ = try ChatTemplate(source: source, name: "t")
            return nil
        } catch {
            return error as? ChatTemplateError
        }
    }

    @Test(
        "What chat templates do not use is refused when it is read, by name and line",
        arguments: [
            ("\n{% include 'a' %}", 2, "'{% include %}'"), ("{{ x | batch(2) }}", 1, "'batch'"),
            ("{% if false %}\n\n{{ x is sameas 1 }}{% endif %}", 3, "'sameas'"),
            ("{{ x.pop() }}", 1, "'pop'"), ("{{ cycler(1) }}", 1, "'cycler'"),
            ("{% for a in b recursive %}{% endfor %}", 1, "'recursive'"),
            ("{{ x.__class__ }}", 1, "'__class__'"),
        ])
    func unknownIsNamed(source: String, line: Int, feature: String) {
        guard case .unsupported("t", line, let found, _)? = reading(source) else {
            Issue.record("\(source): \(String(describing: reading(source)))")
            return
        }
        #expect(found.contains(feature))
    }

    @Test(
        "A text that is no template is refused with the line",
        arguments: [
            ("{% if a %}\nb", 2), ("\n{{ a ", 2), ("{{ }}", 1), ("{% endif %}", 1),
            ("{{ (1] }}", 1), ("a\n\n{# b", 3), ("{{ 'a }}", 1), ("{% break %}", 1),
            ("{% for true in x %}{% endfor %}", 1), ("{{ a ! b }}", 1),
        ])
    func syntaxIsChecked(source: String, line: Int) {
        guard case .syntax("t", line, _)? = refusal(source) else {
            Issue.record("\(source): \(String(describing: refusal(source)))")
            return
        }
    }

    @Test("A template refuses a conversation in its own words")
    func exceptionsAreTold() {
        #expect(
            refusal("a\n{{ raise_exception('Roles must ' ~ 'alternate') }}")
                == .raised(file: "t", line: 2, message: "Roles must alternate"))
    }

    @Test(
        "What goes wrong at run time has a line",
        arguments: [
            "\n{{ messages.a.b }}", "\n{{ 'a' + 1 }}", "\n{{ 1 // 0 }}", "\n{% set a, b = [1] %}",
            "\n{{ [1] < 2 }}", "\n{{ {[]: 1} }}", "\n{{ x|tojson }}", "\n{% set messages.a = 1 %}",
        ])
    func failuresHaveALine(source: String) {
        guard case .failed("t", 2, _)? = refusal(source) else {
            Issue.record("\(source): \(String(describing: refusal(source)))")
            return
        }
    }

    @Test(
        "A name that a template needs and nobody gave a value for is the template's fault, not a conversation's",
        arguments: [
            "\n{{ a.b }}", "\n{{ 'x' + a }}", "\n{{ a[0] }}", "\n{{ a < 1 }}",
        ])
    func undefinedNames(source: String) {
        #expect(refusal(source) == .undefined(file: "t", line: 2, name: "a"))
        #expect(refusal(source)?.isOfConversation == false)
        #expect(refusal("{{ raise_exception('x') }}")?.isOfConversation == true)
    }

    @Test("An empty conversation is refused")
    func emptyConversation() throws {
        let template = try ChatTemplate(source: "x", name: "t")
        #expect(throws: ChatTemplateError.emptyConversation) {
            try template.render([], addGenerationPrompt: true)
        }
    }
}
