import DualChat
import DualModels
import DualTokenization
import Foundation

/// A conversation with a model: its messages so far, and the model's next one.
///
/// The whole history is rendered and read anew for each answer: a template may change what it writes
/// of earlier messages (Qwen 3 takes their reasoning out), so that keys and values of the last turn
/// need not fit the next.
///
/// ```swift
/// var conversation = Conversation(with: generator, template: template, options: options)
/// try conversation.ask("Who are you?") { print($0, terminator: "") }
/// ```
public struct Conversation {
    /// What has been said, a system message first where there is one.
    public private(set) var messages: [ChatMessage] = []
    /// Makes the model's prompt of the messages.
    public let template: ChatTemplate
    /// What the template may ask for besides, such as `enable_thinking`.
    public var variables: [String: TemplateValue] = [:]
    private let generator: TextGenerator
    private let tokenizer: Tokenizer
    private var options: GenerationOptions

    /// The most new tokens of an answer where nothing says how many.
    public static let defaultNewTokens = 1024

    /// - Parameters:
    ///   - options: how answers are generated; the template's end of a turn ends them, too.
    ///   - system: the text of a system message.
    /// - Throws: ``GenerationError/noTokenizer``.
    public init(
        with generator: TextGenerator, template: ChatTemplate, options: GenerationOptions,
        system: String? = nil
    ) throws {
        guard let tokenizer = generator.tokenizer else { throw GenerationError.noTokenizer }
        self.generator = generator
        self.tokenizer = tokenizer
        let template = template.completed(by: tokenizer)
        self.template = template
        self.options = options
        if let end = try template.endOfTurn(tokenizer), !options.stopTokens.contains(end) {
            self.options.stopTokens.append(end)
        }
        setSystem(system)
    }

    /// Puts a system message first, in the place of the one that is there; nil takes it away.
    public mutating func setSystem(_ text: String?) {
        if messages.first?.role == "system" { messages.removeFirst() }
        if let text { messages.insert(ChatMessage(role: "system", content: text), at: 0) }
    }

    /// Takes all messages away but the system's.
    public mutating func reset() {
        messages = Array(messages.prefix { $0.role == "system" })
    }

    /// Takes the last question and its answer away.
    /// - Returns: whether there was one.
    @discardableResult
    public mutating func undo() -> Bool {
        guard let last = messages.lastIndex(where: { $0.role == "user" }) else { return false }
        messages.removeSubrange(last...)
        return true
    }

    /// Asks, and keeps the question and its answer.
    ///
    /// - Parameters:
    ///   - isCancelled: asked before each token; what there is of the answer then is kept.
    ///   - onPiece: gets the answer piece by piece as it is made.
    /// - Throws: ``ChatTemplateError``, ``GenerationError``, ``ModelError``; the question is not kept.
    @discardableResult
    public mutating func ask(
        _ question: String, isCancelled: () -> Bool = { false },
        onPiece: (String) throws -> Void = { _ in }
    ) throws -> Generation? {
        let asked = messages + [ChatMessage(role: "user", content: question)]
        var options = options
        let ids = try generator.encode(asked, template, variables: variables)
        options.maximumNewTokens = try room(behind: ids.count)
        var pieces = try generator.stream(ids: ids, options).makeAsyncIterator()
        var answer = ""
        while var piece = try pieces.nextPiece(isCancelled: isCancelled) {
            if answer.isEmpty {
                piece = tokenizer.standingAlone(piece, pieces.ids)
            }
            answer += piece
            try onPiece(piece)
        }
        messages = asked + [ChatMessage(role: "assistant", content: answer)]
        return pieces.generation
    }

    /// The most new tokens behind a prompt: as many as are wanted, or as the model has positions for.
    private func room(behind prompt: Int) throws -> Int {
        var room = Int.max
        if let positions = generator.model.maximumLength {
            // The last new token is not read, and needs no position.
            room = positions - prompt + 1
            guard room > 0 else {
                throw GenerationError.noRoom(tokens: prompt, positions: positions)
            }
        }
        if let wanted = options.maximumNewTokens { return min(wanted, room) }
        let new = try options.roomInMaximumLength(behind: prompt, of: "the conversation")
        return min(new ?? Self.defaultNewTokens, room)
    }
}

extension Tokenizer {
    /// A continuation, or its beginning, without the space that stands before it only because there
    /// is a prompt: as decoding its tokens alone gives it, which a message's content is.
    ///
    /// - Parameter ids: the tokens of the continuation, as far as they are there.
    package func standingAlone(_ continuation: String, _ ids: [Int]) -> String {
        guard continuation.first == " ",
            decode(ids, skippingSpecialTokens: true).first != " "
        else { return continuation }
        return String(continuation.dropFirst())
    }
}

extension TextGenerator {
    /// The ids of a conversation up to the beginning of the assistant's next message. Its template
    /// writes the special tokens, and no others are added.
    ///
    /// - Throws: ``ChatTemplateError``, ``GenerationError/noTokenizer``.
    public func encode(
        _ messages: [ChatMessage], _ template: ChatTemplate,
        variables: [String: TemplateValue] = [:]
    ) throws -> [Int] {
        guard let tokenizer else { throw GenerationError.noTokenizer }
        let text = try template.render(messages, addGenerationPrompt: true, variables: variables)
        return try tokenizer.encode(text, addingSpecialTokens: false).ids
    }
}

extension ChatTemplate {
    /// The special token that the template puts behind an assistant's message, if it puts one there.
    ///
    /// It is found by rendering a message, since no file names it.
    package func endOfTurn(_ tokenizer: Tokenizer) throws -> Int? {
        let mark = "\u{2058}end-of-turn\u{2058}"
        let messages = [
            ChatMessage(role: "user", content: "-"), ChatMessage(role: "assistant", content: mark),
        ]
        // A template that refuses so short a conversation says nothing of its turns.
        guard let text = try? render(messages, addGenerationPrompt: false),
            let range = text.range(of: mark, options: .backwards)
        else { return nil }
        let tail = String(text[range.upperBound...])
        return try tokenizer.encode(tail, addingSpecialTokens: false).ids
            .first(where: tokenizer.isSpecial)
    }
}
