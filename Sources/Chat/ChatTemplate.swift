import Foundation

/// The text that a model was trained to see for a conversation: a template in Jinja's language, as
/// far as the templates of the LLaMA, Mistral, Qwen and Gemma families use it.
///
/// For those the rendered text is that of transformers' `apply_chat_template`, character by
/// character. What the language has besides is refused when the template is read, by its name and
/// line.
public struct ChatTemplate: Sendable {
    /// The template's text, in Jinja's language.
    public let source: String
    /// The file that messages name.
    public let name: String
    /// The tokenizer's special tokens, such as `bos_token`, which templates know by these names.
    public let specialTokens: [String: String]
    /// What the template may ask for besides, such as `enable_thinking`, where a conversation says
    /// nothing else.
    public var variables: [String: TemplateValue] = [:]
    /// What `strftime_now` tells; nil for the clock's time.
    public var date: Date?
    private let syntax: Syntax

    /// Reads a template.
    ///
    /// - Parameter name: the file that messages name.
    /// - Throws: ``ChatTemplateError/syntax(file:line:reason:)``,
    ///   ``ChatTemplateError/unsupported(file:line:feature:supported:)``.
    public init(source: String, name: String, specialTokens: [String: String] = [:]) throws {
        self.source = source
        self.name = name
        self.specialTokens = specialTokens
        do throws(Fault) {
            syntax = try Parser.parse(source)
        } catch {
            throw error.error(file: name, line: 1)
        }
    }

    /// Whether the template says what of its text the assistant generates.
    var marksGeneration: Bool { syntax.marksGeneration }

    /// Whether the text of a conversation may depend on the day.
    package var asksForDate: Bool { source.contains("strftime_now") }

    /// The text of a conversation.
    ///
    /// It holds the special tokens that the template writes; who encodes it adds none.
    ///
    /// - Parameters:
    ///   - addGenerationPrompt: whether the beginning of an assistant's message comes last.
    ///   - variables: what the template may ask for besides, before ``variables`` of its own; they come
    ///     before special tokens and messages of the same name.
    ///   - now: what `strftime_now` tells; nil for ``date``.
    /// - Throws: ``ChatTemplateError``; ``ChatTemplateError/raised(file:line:message:)`` where the
    ///   template refuses the conversation.
    public func render(
        _ messages: [ChatMessage], addGenerationPrompt: Bool,
        variables: [String: TemplateValue] = [:], now: Date? = nil
    ) throws -> String {
        try renderTracked(
            messages, addGenerationPrompt: addGenerationPrompt, variables: variables, now: now
        ).text
    }

    /// The text of a conversation, and the ranges of its UTF-8 that `{% generation %}` blocks made;
    /// nil where the template has none.
    ///
    /// - Throws: as ``render(_:addGenerationPrompt:variables:now:)``.
    public func renderTracked(
        _ messages: [ChatMessage], addGenerationPrompt: Bool,
        variables: [String: TemplateValue] = [:], now: Date? = nil
    ) throws -> (text: String, generated: [Range<Int>]?) {
        guard !messages.isEmpty else { throw ChatTemplateError.emptyConversation }
        var context: [String: TemplateValue] = [
            "messages": .list(messages.map(\.templateValue)), "tools": .none, "documents": .none,
            "add_generation_prompt": .bool(addGenerationPrompt),
        ]
        context.merge(specialTokens.mapValues { .string($0) }) { fixed, _ in fixed }
        context.merge(self.variables) { _, given in given }
        context.merge(variables) { _, given in given }
        return try render(context, now ?? date ?? Date())
    }

    private func render(
        _ context: [String: TemplateValue], _ now: Date
    ) throws(ChatTemplateError) -> (text: String, generated: [Range<Int>]?) {
        var renderer: Renderer?
        do throws(Fault) {
            var values: [String: Value] = [:]
            for (name, value) in context { values[name] = try Value(value) }
            let made = Renderer(values, now: now)
            renderer = made
            try made.render(syntax)
            return (made.output, syntax.marksGeneration ? made.generated : nil)
        } catch {
            throw error.error(file: name, line: renderer?.line ?? 1)
        }
    }
}

extension ChatMessage {
    fileprivate var templateValue: TemplateValue {
        ["role": .string(role), "content": .string(content)]
    }
}
