import DualJSON

/// One turn of a conversation.
public struct ChatMessage: Codable, Equatable, Sendable {
    /// Who speaks: `system`, `user` or `assistant`, as far as the template knows it.
    public var role: String
    /// What is said, without the template's marks.
    public var content: String

    public init(role: String, content: String) {
        self.role = role
        self.content = content
    }
}

extension ChatMessage {
    /// What messages of other packages have besides, and their templates write: a conversation that
    /// lost it would be another one.
    package static let fieldsNotRead = [
        "tool_calls", "function_call", "reasoning_content", "reasoning", "thinking",
    ]

    /// What goes with a whole conversation in the same way.
    package static let conversationFieldsNotRead = [
        "tools", "functions", "documents", "chat_template_kwargs",
    ]
}

extension ChatMessage {
    /// The messages of an array as OpenAI spells it.
    package static func conversation(
        _ value: JSONValue
    ) throws(ConversationFault) -> [ChatMessage] {
        guard case .array(let values) = value else { throw .notMessages }
        var messages: [ChatMessage] = []
        for (index, value) in values.enumerated() {
            guard case .object(let fields) = value else { throw .notMessages }
            if let key = fieldsNotRead.first(where: { fields[$0]?.saysNothing == false }) {
                throw .notRead(message: index + 1, key: key)
            }
            func text(_ key: String) throws(ConversationFault) -> String {
                guard let value = fields[key] else {
                    throw .missing(message: index + 1, key: key)
                }
                guard case .string(let text) = value else { throw .notMessages }
                return text
            }
            messages.append(ChatMessage(role: try text("role"), content: try text("content")))
        }
        return messages
    }
}
