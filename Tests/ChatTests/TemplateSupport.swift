import Foundation

@testable import DualChat

/// The text that a template makes of one message.
func rendered(
    _ source: String, _ variables: [String: TemplateValue] = [:], now: Date = Date()
) throws -> String {
    try ChatTemplate(source: source, name: "t").render(
        [ChatMessage(role: "user", content: "hi")], addGenerationPrompt: false,
        variables: variables, now: now)
}

/// What a template, or its rendering, is refused with.
func refusal(_ source: String, _ variables: [String: TemplateValue] = [:]) -> ChatTemplateError? {
    do {
        _ = try rendered(source, variables)
        return nil
    } catch {
        return error as? ChatTemplateError
    }
}
