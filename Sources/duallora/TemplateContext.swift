import ArgumentParser
import DualLoRA
import Foundation

/// What a chat template is told besides the conversation.
struct TemplateContext: ParsableArguments {
    @Option(
        help: """
            JSON object of what the template may ask for: '{"enable_thinking": false}'.
            """)
    var templateVariables: String?

    @Option(
        help: ArgumentHelp(
            """
            What the template is told that the time is, if it asks: YYYY-MM-DD or \
            YYYY-MM-DDTHH:MM:SS. Default: now.
            """, valueName: "date"))
    var templateDate: String?

    var isGiven: Bool { given.contains(where: \.isGiven) }

    /// What the user gave.
    var given: [(name: String, isGiven: Bool)] {
        [
            ("template-variables", templateVariables != nil),
            ("template-date", templateDate != nil),
        ]
    }

    var variables: [String: TemplateValue] {
        get throws {
            guard let text = templateVariables else { return [:] }
            let value = try? JSONDecoder().decode(TemplateValue.self, from: Data(text.utf8))
            guard case .mapping(let entries)? = value else {
                throw CommandError("--template-variables: '\(text)' is no JSON object")
            }
            return Dictionary(entries.map { ($0.key, $0.value) }) { _, last in last }
        }
    }

    var date: Date? {
        get throws {
            try templateDate.map { text in
                guard let date = ChatTemplate.date(text) else {
                    throw CommandError(
                        "--template-date: '\(text)' is no date such as 2026-07-31 or "
                            + "2026-07-31T12:00:00")
                }
                return date
            }
        }
    }
}
