import ArgumentParser
import DualJSON
import FineTuning
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
            let value: JSONValue
            do throws(JSONFault) {
                value = try JSONReader.value(of: Array(text.utf8))
            } catch {
                throw CommandError("--template-variables: \(error.message)")
            }
            guard case .object(let object) = value else {
                throw CommandError("--template-variables: '\(text.excerpt())' is no JSON object")
            }
            return object.templateValues
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
