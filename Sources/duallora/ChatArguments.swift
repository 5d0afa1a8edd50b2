import ArgumentParser
import DualLoRA
import Foundation

/// What is said to a model that was trained on conversations.
struct ChatArguments: ParsableArguments {
    @Flag(help: "Hold a conversation: a line from standard input, and an answer.")
    var chat = false

    @Option(help: "With --chat: the text of the system message.")
    var system: String?

    @Option(
        help: """
            A file of conversations to answer: [{"role": ..., "content": ...}, ...], or one such array \
            a line.
            """)
    var messages: String?

    @OptionGroup var template: TemplateArguments

    var isGiven: Bool { chat || messages != nil }

    func check() throws {
        if chat, messages != nil { throw ValidationError("--messages does not go with --chat") }
        if system != nil, !chat { throw ValidationError("--system goes with --chat") }
        if !isGiven, template.isGiven {
            throw ValidationError(
                "--chat-template, --template-variables and --template-date go with --chat or "
                    + "--messages")
        }
    }
}

/// How a conversation becomes text.
struct TemplateArguments: ParsableArguments {
    @Option(
        help: """
            The chat template in the place of the adapter's or the model's: a file, alpaca or chatml.
            """)
    var chatTemplate: String?

    @OptionGroup var context: TemplateContext

    var isGiven: Bool { chatTemplate != nil || context.isGiven }

    /// The template of the file that is named, else of the first folder that has one; with what it may
    /// ask for.
    func load(from folders: [URL]) throws -> ChatTemplate {
        var template = try find(in: folders)
        template.variables = try context.variables
        template.date = try context.date
        return template
    }

    private func find(in folders: [URL]) throws -> ChatTemplate {
        if let chatTemplate {
            return try ChatTemplate.load(named: chatTemplate, tokensFrom: folders.last)
        }
        if let found = try ChatTemplate.load(fromFirstOf: folders) { return found }
        let names = folders.map(\.relativePath).joined(separator: " and ")
        throw CommandError(
            "\(names): no chat template in chat_template.jinja, tokenizer_config.json or "
                + "chat_template.json; name one with --chat-template")
    }
}

/// A file of conversations.
struct ConversationFile {
    let conversations: [[ChatMessage]]

    /// Reads one conversation, or one a line.
    init(_ path: String) throws {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandError("\(path) cannot be read")
        }
        if let one = try? JSONDecoder().decode([ChatMessage].self, from: data) {
            guard !one.isEmpty else { throw CommandError("\(path): the conversation is empty") }
            conversations = [one]
            return
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw CommandError("\(path) is not UTF-8 text")
        }
        if (try? JSONSerialization.jsonObject(with: data)) is [Any] {
            // One array over all lines, and something in it is wrong.
            conversations = [try Self.conversation(text[...], "\(path):1")]
            return
        }
        var found: [[ChatMessage]] = []
        let lines = text.split(
            omittingEmptySubsequences: false, whereSeparator: { $0 == "\n" || $0 == "\r\n" })
        for (number, line) in lines.enumerated() where !line.allSatisfy(\.isWhitespace) {
            found.append(try Self.conversation(line, "\(path):\(number + 1)"))
        }
        guard !found.isEmpty else { throw CommandError("\(path) has no conversation in it") }
        conversations = found
    }

    private static func conversation(_ line: Substring, _ place: String) throws -> [ChatMessage] {
        let messages: [ChatMessage]
        do {
            messages = try JSONDecoder().decode([ChatMessage].self, from: Data(line.utf8))
        } catch DecodingError.keyNotFound(let key, let context) {
            let message = context.codingPath.first?.intValue ?? 0
            throw CommandError("\(place): message \(message + 1) lacks '\(key.stringValue)'")
        } catch {
            throw CommandError(
                "\(place) is no array of messages [{\"role\": ..., \"content\": ...}, ...]")
        }
        guard !messages.isEmpty else { throw CommandError("\(place): the conversation is empty") }
        return messages
    }
}
