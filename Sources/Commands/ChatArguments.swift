import ArgumentParser
import DualJSON
import FineTuning
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
            """, completion: .file(extensions: ["json", "jsonl"]))
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
            """, completion: .chatTemplate)
    var chatTemplate: String?

    @OptionGroup var context: TemplateContext

    var isGiven: Bool { chatTemplate != nil || context.isGiven }

    /// The template of the file that is named, else of the first folder (or GGUF file) that has one; with
    /// what it may ask for.
    func load(from folders: [URL]) throws -> ChatTemplate {
        var template = try find(in: folders.map(ModelFiles.init(of:)))
        template.variables = try context.variables
        template.date = try context.date
        return template
    }

    private func find(in places: [ModelFiles]) throws -> ChatTemplate {
        if let chatTemplate {
            guard let last = places.last else {
                return try ChatTemplate.load(named: chatTemplate, tokensFrom: nil)
            }
            return try ChatTemplate.load(named: chatTemplate, tokensFrom: last)
        }
        if let template = try ChatTemplate.load(fromFirstOf: places) { return template }
        let names = places.map(\.url.relativePath).joined(separator: " and ")
        throw CommandError(
            "\(names): no chat template in chat_template.jinja, tokenizer_config.json or "
                + "chat_template.json; name one with --chat-template")
    }
}

extension JSONObject {
    /// The members as what a template may ask for.
    var templateValues: [String: TemplateValue] {
        Dictionary(members.map { ($0.key, TemplateValue($0.value)) }) { _, last in last }
    }
}

/// A file of conversations.
struct ConversationFile {
    let conversations: [[ChatMessage]]

    /// Reads one conversation, or one a line.
    init(_ path: String) throws {
        let data = try bytes(of: path)
        guard String(validating: data, as: UTF8.self) != nil else {
            throw CommandError("\(path) is not UTF-8 text")
        }
        let bytes = [UInt8](data)
        // One array over all lines, or an array a line.
        if let whole = try? JSONReader.value(of: bytes) {
            conversations = [try Self.conversation(whole, "\(path):1")]
            return
        }
        var reader = JSONReader(bytes)
        var read: [[ChatMessage]] = []
        while reader.peek() != nil {
            let place = "\(path):\(reader.line)"
            let value: JSONValue
            do throws(JSONFault) {
                value = try reader.readLine()
            } catch {
                throw CommandError(
                    "\(path):\(error.line): \(error.message); there should be an array of messages "
                        + "[{\"role\": ..., \"content\": ...}, ...], or one a line")
            }
            read.append(try Self.conversation(value, place))
        }
        guard !read.isEmpty else { throw CommandError("\(path) has no conversation in it") }
        conversations = read
    }

    private static func conversation(_ value: JSONValue, _ place: String) throws -> [ChatMessage] {
        let messages: [ChatMessage]
        do throws(ConversationFault) {
            messages = try ChatMessage.conversation(value)
        } catch {
            throw CommandError("\(place)\(error == .notMessages ? " is" : ":") \(error.reason)")
        }
        guard !messages.isEmpty else { throw CommandError("\(place): the conversation is empty") }
        return messages
    }
}
