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
    public internal(set) var specialTokens: [String: String]
    /// What the template may ask for besides, such as `enable_thinking`, where a conversation says
    /// nothing else.
    public var variables: [String: TemplateValue] = [:]
    /// What `strftime_now` tells; nil for the clock's time.
    public var date: Date?
    private let syntax: Syntax
    /// The words of the template that may be names.
    private let words: Set<Substring>

    /// Reads a template.
    ///
    /// - Parameter name: the file that messages name.
    /// - Throws: ``ChatTemplateError/syntax(file:line:reason:)``,
    ///   ``ChatTemplateError/unsupported(file:line:feature:supported:)``.
    public init(source: String, name: String, specialTokens: [String: String] = [:]) throws {
        self.source = source
        self.name = name
        self.specialTokens = specialTokens
        words = Set(source.split { !$0.isLetter && !$0.isNumber && $0 != "_" })
        do throws(Fault) {
            syntax = try Parser.parse(source)
        } catch {
            throw error.error(file: name, line: 1)
        }
    }

    /// Whether the template says what of its text the assistant generates.
    var marksGeneration: Bool { syntax.marksGeneration }

    /// Whether the template has a name in it, so that it may write what goes by the name.
    package func names(_ key: String) -> Bool { words.contains(key[...]) }

    /// Whether the template may write what a message has under a key.
    package func writes(_ key: String) -> Bool {
        names(key)
            || ChatMessage.reasoningKeys.contains(key)
                && ["reasoning_content", "thinking"].contains(where: names)
    }

    /// Gives names of special tokens that the template's folder does not name a token.
    package mutating func addSpecialTokens(_ tokens: [String: String]) {
        specialTokens.merge(tokens) { own, _ in own }
    }

    /// Refuses a conversation whose calls of tools, or tools, the template would lose.
    /// - Throws: ``ChatTemplateError/notWritten(file:key:)``.
    package func checkWrites(
        _ messages: [ChatMessage], variables: [String: TemplateValue] = [:]
    ) throws(ChatTemplateError) {
        func check(_ key: String, _ isThere: Bool) throws(ChatTemplateError) {
            if isThere, !names(key) { throw .notWritten(file: name, key: key) }
        }
        try check("tool_calls", messages.contains(where: \.callsTools))
        for key in ["tools", "documents"] {
            guard case .list(let values)? = variables[key] else { continue }
            try check(key, !values.isEmpty)
        }
    }

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
