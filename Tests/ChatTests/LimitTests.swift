import Foundation
import Testing

@testable import DualChat

@Suite struct LimitTests {
    /// A template that does something some millions of times.
    private func repeated(_ expression: String, with setting: String = "") -> String {
        "\(setting){% for i in range(90000) %}{% for j in range(90000) %}{% if \(expression) %}"
            + "{% endif %}{% endfor %}{% endfor %}"
    }

    @Test(
        "What takes long is paid for each time, so that a hostile template ends soon",
        arguments: [
            "range(99999)|length", "range(99999)[7]", "s == t", "{}[s]", "s is lower",
        ])
    func workIsPaidFor(expression: String) {
        let texts = "{% set s = 'a' * 999999 ~ 'b' %}{% set t = 'a' * 999999 ~ 'c' %}"
        guard case .limit? = refusal(repeated(expression, with: texts)) else {
            Issue.record("\(expression) has no limit")
            return
        }
    }

    @Test(
        "Parts of a text are no more than the budget has",
        arguments: [
            "('a' * 20000000)|list", "('a,' * 10000000).split(',')",
            "('a,' * 10000000).rsplit(',')", "('a ' * 10000000).split()",
            "('a\\n' * 10000000).splitlines()",
        ])
    func partsAreLimited(expression: String) {
        guard case .limit? = refusal("{{ (\(expression))|length }}") else {
            Issue.record("\(expression) has no limit")
            return
        }
    }

    @Test(
        "A range is Python's up to the ends of whole numbers",
        arguments: [
            (
                "range(9223372036854775800, 9223372036854775807, 5)|list",
                "[9223372036854775800, 9223372036854775805]"
            ),
            (
                "range(-9223372036854775807, 9223372036854775807, 9223372036854775807)|list",
                "[-9223372036854775807, 0]"
            ),
            ("range(9, 0, -4)|list", "[9, 5, 1]"), ("range(3, 3)|list", "[]"),
            ("range(0, 10, 3)|length", "4"), ("range(0, 10, 3)[-1]", "9"),
            ("range(3)[3] is undefined", "True"), ("range(0, 3, 2) == range(0, 4, 2)", "True"),
            ("range(0) == range(2, 1)", "True"), ("range(1) == range(0, 5, 9)", "True"),
            ("range(2) == range(3)", "False"), ("{range(0, 3, 2): 1}[range(0, 4, 2)]", "1"),
        ])
    func rangesAreThoseOfPython(expression: String, expected: String) throws {
        #expect(try rendered("{{ \(expression) }}") == expected)
    }

    @Test("A clock that shows no date is an error", arguments: [1e300, .infinity, .nan])
    func clockIsChecked(seconds: Double) {
        let now = Date(timeIntervalSince1970: seconds)
        #expect(throws: ChatTemplateError.self) {
            try rendered("{{ strftime_now('%Y') }}", now: now)
        }
    }
}
