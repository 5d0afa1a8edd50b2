import Foundation
import Testing

@testable import DualChat

@Suite struct LanguageTests {
    @Test(
        "Expressions have Python's values",
        arguments: [
            ("7 // -2", "-4"), ("-7 % 3", "2"), ("2 ** -1", "0.5"), ("1 / 3", "0.3333333333333333"),
            ("true + 1", "2"), ("1 == 1.0 == true", "True"), ("'a' 'b' ~ 1", "ab1"),
            ("[1, 'it\\'s', none, (2,), {'k': 1.0}]", "[1, \"it's\", None, (2,), {'k': 1.0}]"),
            ("[1, 2, 3][::-1]", "[3, 2, 1]"), ("'abc'[-2:]", "bc"), ("'e\u{301}'|length", "2"),
            ("'' or 'x' and 0", "0"), ("not 'a' in 'ab'", "False"), ("1 if false", ""),
            ("missing|default('d')", "d"),
            ("messages[0].content.upper()", "HI"), ("messages[9] is undefined", "True"),
            ("{'a': 1}|items|list", "[('a', 1)]"), ("' a b '.split()", "['a', 'b']"),
            ("'<a> \u{e9}'|tojson", "\"<a> \u{e9}\""), ("[1]|tojson(indent=2)", "[\n  1\n]"),
            ("[3, 1]|map('string')|join('-')", "3-1"), ("'\u{e9}' == 'e\u{301}'", "False"),
            ("'a-b c'|title", "A-B C"), ("1e16", "1e+16"), ("1e15", "1000000000000000.0"),
        ])
    func expressionsAreThoseOfPython(expression: String, expected: String) throws {
        #expect(try rendered("{{ \(expression) }}") == expected)
    }

    @Test("Variables of a loop's body end with it, and those of a namespace do not")
    func scopesAreThoseOfJinja() throws {
        let text = try rendered(
            """
            {% set x = 0 %}{% set ns = namespace(x=0) %}
            {% for i in range(3) if i != 1 %}{% set x = i %}{% set ns.x = i %}{{ loop.index }}{{ x }},
            {% endfor %}{{ x }}{{ ns.x }}
            """)
        #expect(text == "10,\n22,\n02")
    }

    @Test("Loops break, continue, and run 'else' as Jinja's do")
    func loopsJump() throws {
        let source =
            "{% for i in range(5) %}{% if i == 1 %}{% continue %}{% endif %}"
            + "{% if i == 3 %}{% break %}{% endif %}{{ i }}{% else %}none{% endfor %}"
        #expect(try rendered(source) == "02")
        #expect(try rendered(source.replacing("range(5)", with: "[]")) == "none")
    }

    @Test("A macro has defaults, and takes arguments by place and by name")
    func macrosAreCalled() throws {
        let macro = "{% macro f(a, b='x') %}{{ a }}{{ b }};{% endmacro %}"
        #expect(try rendered(macro + "{{ f(1) }}{{ f(1, 2) }}{{ f(b=3, a=4) }}") == "1x;12;43;")
        #expect(refusal(macro + "{{ f(1, 2, 3) }}")?.description.contains("at most 2") ?? false)
    }

    @Test("The clock is the caller's")
    func clockIsGiven() throws {
        let noon = Date(timeIntervalSince1970: 1_700_000_000)
        #expect(try rendered("{{ strftime_now('%Y 100%%') }}", now: noon) == "2023 100%")
    }

    @Test("Variables that are given come before tokens and messages of the same name")
    func variablesComeFirst() throws {
        #expect(try rendered("{{ messages }}{{ n }}", ["messages": ["a"], "n": 2]) == "['a']2")
    }

    @Test("What the assistant generates is told in bytes of UTF-8")
    func generationIsTracked() throws {
        let source =
            "{% for m in messages %}{{ m.role }}:{% generation %}{{ m.content }}{% endgeneration %}"
            + "{% endfor %}"
        let made = try ChatTemplate(source: source, name: "t").renderTracked(
            [ChatMessage(role: "é", content: "ü"), ChatMessage(role: "b", content: "cd")],
            addGenerationPrompt: false)
        #expect(made.text == "é:üb:cd")
        #expect(made.generated == [3..<5, 7..<9])
        let plain = try ChatTemplate(source: "x", name: "t").renderTracked(
            [ChatMessage(role: "a", content: "b")], addGenerationPrompt: false)
        #expect(plain.generated == nil)
    }
}
