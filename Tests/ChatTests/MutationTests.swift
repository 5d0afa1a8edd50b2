import Foundation
import Mutations
import Testing

@testable import DualChat

/// Templates with errors anywhere: rendered or refused, and by no other than the errors of a template.
@Suite struct MutationTests {
    private static let words = [
        "{{", "}}", "{%", "%}", "{#", "#}", "{%-", "-%}", "{{-", "-}}", " ", "\n", "'", "\"", "\\",
        "(",
        ")", "[", "]", "{", "}", ",", ":", ".", "|", "=", "==", "!=", "<", "<=", "+", "-", "*", "/",
        "//",
        "%", "**", "~", "0", "1", "-1", "3.5", "1e9", "99999999999999999999", "true", "none", "is",
        "is not",
        "in", "not in", "not", "and", "or", "if", "else", "elif", "endif", "for", "endfor", "set",
        "endset",
        "macro", "endmacro", "call", "filter", "generation", "endgeneration", "break", "continue",
        "loop",
        "loop.index0", "messages", "messages[-1]", "m", "m.role", "m['content']", "tools",
        "bos_token", "x",
        "namespace(x=1)", "range(3)", "dict(a=1)", "defined", "string", "mapping", "length", "trim",
        "join",
        "tojson", "tojson(indent=4)", "items", "replace", "split", "upper", "selectattr", "map",
        "first",
        "last", "reverse", "sort", "default('y')", "strftime_now('%Y')", "raise_exception('no')",
        "é", "😀",
        "[::-1]", "[1:]", "if true else", "recursive",
    ]
    private static let templates = [
        """
        {%- if messages[0]['role'] == 'system' %}{% set s = messages[0].content | trim %}{% else %}\
        {% set s = '' -%}{% endif %}{{ bos_token }}{% for m in messages %}{% if loop.first and s %}[{{ s }}]\
        {% elif m.role != "user" %}{{ '<' + m['role'] + '>' ~ m.content|upper }}{% else %}{{ loop.index }}\
        {% endif %}{%- endfor %}{% if add_generation_prompt %}{{ "a\\n" }}{% endif %}
        """,
        """
        {% macro show(x, deep=1) %}{{ x | tojson }}{% if deep > 0 %}{{ show(x[0], deep - 1) }}{% endif %}\
        {% endmacro %}{% set n = namespace(last=-1) %}{% for m in messages[::-1] %}\
        {% set n.last = loop.index0 %}{% generation %}{{ show([m.role, loop.length]) }}{% endgeneration %}\
        {% endfor %}{# a note #}{{ {'a': [1, 2.5, none], 'b': true}.items() | list }}{{ n.last ** 2 // 3 }}
        """,
        """
        {% for k, v in {'x': 1, 'y': 'z'} | dictsort %}{{ k ~ v }}{% else %}no{% endfor %}\
        {{ messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | join(', ') }}\
        {{ 'a,b'.split(',')[1:] | first | default('y', true) }}{{ strftime_now('%d %b %Y') }}\
        {% if tools is defined and tools is not none %}{% filter upper %}{{ tools }}{% endfilter %}{% endif %}
        """,
    ]

    /// Whether a template was rendered.
    private func renders(_ bytes: [UInt8]) -> Bool {
        do {
            let text = String(decoding: bytes, as: UTF8.self)
            _ = try rendered(
                text, ["bos_token": "<s>", "tools": .list([.string("f")])],
                now: Date(timeIntervalSince1970: 1e9))
            return true
        } catch {
            #expect(error is ChatTemplateError, "\(error)")
            return false
        }
    }

    @Test("A template with an error anywhere is rendered or refused", arguments: 1...4)
    func changed(seed: UInt64) {
        var mutator = Mutator(seed: seed, words: Self.words)
        let count = (0..<3000).count { _ in renders(mutator.changed(oneOf: Self.templates)) }
        #expect(100..<2900 ~= count)
    }

    @Test(
        "Any words of the language one behind the other are rendered or refused", arguments: 1...4)
    func composed(seed: UInt64) {
        var mutator = Mutator(seed: seed, words: Self.words)
        let count = (0..<6000).count { _ in
            let words = mutator.composed(upTo: 7)
            return renders(words) || renders(Array("{{ ".utf8) + words + Array(" }}".utf8))
        }
        #expect(count > 600)
    }
}
