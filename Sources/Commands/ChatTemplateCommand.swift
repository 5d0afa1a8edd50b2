import ArgumentParser
import DualJSON
import FineTuning
import Foundation

struct ChatTemplateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat-template",
        abstract: "Show the text that a chat template makes of conversations.",
        discussion: """
            With --stdin each line is a JSON object with "template" and "messages", and if wanted \
            "variables", "add_generation_prompt" and "now" (seconds since 1970); each answer is one \
            with "text", and with "generated" (ranges of UTF-8) where the template marks what the \
            assistant generates, or with "error" and its "kind".

            Example:
              duallora chat-template --model llama --messages talk.json --generation-prompt
              duallora chat-template --model qwen --messages talks.jsonl --json \\
                --template-variables '{"enable_thinking": false}'
              duallora chat-template --stdin < cases.jsonl
            """)

    @Option(
        help: "The model or its tokenizer: a folder, a GGUF file or org/name.", completion: .file())
    var model: String?

    @Option(
        help: """
            A file of conversations: [{"role": ..., "content": ...}, ...], or one such array a line.
            """, completion: .file(extensions: ["json", "jsonl"]))
    var messages: String?

    @OptionGroup var template: TemplateArguments

    @Flag(help: "End with the beginning of the assistant's next message.")
    var generationPrompt = false

    @Flag(help: "Print one JSON object a conversation, with its text and ids.")
    var json = false

    @Flag(help: "Read templates and conversations from standard input.")
    var stdin = false

    func validate() throws {
        if stdin, model != nil || messages != nil || template.isGiven || generationPrompt || json {
            throw ValidationError("--stdin goes with no other option")
        }
        if !stdin, model == nil || messages == nil {
            throw ValidationError("give --model and --messages, or --stdin")
        }
    }

    func run() throws {
        guard let model, let messages else { return try answerLines() }
        let folder = try located(model, for: .tokenizer).url
        let template = try template.load(from: [folder])
        let tokenizer = json ? try Tokenizer.load(from: ModelFiles(of: folder)) : nil
        for conversation in try ConversationFile(messages).conversations {
            try template.checkWrites(conversation, variables: template.variables)
            let made = try template.renderTracked(
                conversation, addGenerationPrompt: generationPrompt)
            guard let tokenizer else {
                print(made.text)
                continue
            }
            let ids = try tokenizer.encode(made.text, addingSpecialTokens: false).ids
            try printJSON(
                Self.fields(made).merging(["ids": ids]) { first, _ in first })
        }
    }

    private static func fields(
        _ made: (text: String, generated: [Range<Int>]?)
    ) -> [String: Any] {
        var fields: [String: Any] = ["text": made.text]
        if let ranges = made.generated {
            fields["generated"] = ranges.map { [$0.lowerBound, $0.upperBound] }
        }
        return fields
    }

    /// A line of standard input.
    private struct Case {
        let template: String
        let messages: [ChatMessage]
        let variables: [String: TemplateValue]
        let addsGenerationPrompt: Bool
        let now: Date

        /// nil for what is no such object.
        init?(_ line: String) throws(ConversationFault) {
            guard case .object(let fields)? = try? JSONReader.value(of: Array(line.utf8)),
                case .string(let template)? = fields["template"], let talk = fields["messages"]
            else { return nil }
            self.template = template
            messages = try ChatMessage.conversation(talk)
            switch fields["variables"] {
            case nil, .null: variables = [:]
            case .object(let object): variables = object.templateValues
            default: return nil
            }
            addsGenerationPrompt = fields["add_generation_prompt"] == .bool(true)
            if case .number(let text)? = fields["now"], let seconds = Double(text) {
                now = Date(timeIntervalSince1970: seconds)
            } else {
                now = Date()
            }
        }

        func render() throws -> (text: String, generated: [Range<Int>]?) {
            try ChatTemplate(source: template, name: "template").renderTracked(
                messages, addGenerationPrompt: addsGenerationPrompt, variables: variables, now: now)
        }
    }

    private func answerLines() throws {
        var number = 0
        while let line = readLine() {
            number += 1
            let wanted: Case?
            do throws(ConversationFault) {
                wanted = try Case(line)
            } catch {
                throw CommandError("standard input:\(number): \(error.reason)")
            }
            guard let wanted else {
                throw CommandError(
                    "standard input:\(number): the line is no object with 'template' and 'messages'"
                )
            }
            do {
                try printJSON(Self.fields(try wanted.render()))
            } catch let error as ChatTemplateError {
                try printJSON(["error": error.description, "kind": error.kind])
            }
        }
    }
}

extension ChatTemplateError {
    fileprivate var kind: String {
        switch self {
        case .syntax: "syntax"
        case .unsupported: "unsupported"
        case .raised: "raised"
        case .limit: "limit"
        default: "failed"
        }
    }
}
