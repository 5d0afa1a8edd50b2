import DualJSON

/// One turn of a conversation.
///
/// A template sees all that a message has, under the names that transformers has for it: besides the
/// role and the content `reasoning_content`, `tool_calls`, `tool_call_id`, `name` and what else there is.
public struct ChatMessage: Equatable, Sendable {
    /// What a template sees, its keys in their order.
    public private(set) var fields: [TemplateValue.Entry]

    public init(role: String, content: String) {
        fields = [.init("role", .string(role)), .init("content", .string(content))]
    }

    /// - Parameter fields: `role` among them, and no key twice.
    public init(fields: [TemplateValue.Entry]) { self.fields = fields }

    /// Who speaks: `system`, `user`, `assistant` or `tool`, as far as the template knows it.
    public var role: String {
        get { self["role"]?.text ?? "" }
        set { self["role"] = .string(newValue) }
    }

    /// What is said, without the template's marks; of a content in parts the texts, and nothing where
    /// there is none.
    public var content: String {
        get {
            guard case .list(let parts)? = self["content"] else {
                return self["content"]?.text ?? ""
            }
            return parts.compactMap { $0["text"]?.text }.joined()
        }
        set { self["content"] = .string(newValue) }
    }

    /// What the message has under a key; nil for nothing. Setting nil takes the key away.
    public subscript(key: String) -> TemplateValue? {
        get { fields.first { $0.key == key }?.value }
        set {
            guard let index = fields.firstIndex(where: { $0.key == key }) else {
                if let newValue { fields.append(.init(key, newValue)) }
                return
            }
            if let newValue { fields[index].value = newValue } else { fields.remove(at: index) }
        }
    }
}

extension ChatMessage: Encodable {
    public func encode(to encoder: any Encoder) throws {
        try TemplateValue.mapping(fields).encode(to: encoder)
    }
}

extension ChatMessage {
    static let reasoningKeys = ["reasoning_content", "thinking", "reasoning"]

    /// The message as transformers hands it to a template: the reasoning under each of the names that
    /// templates have for it.
    var templateValue: TemplateValue {
        guard
            let reasoning = Self.reasoningKeys.lazy.compactMap({ self[$0] })
                .first(where: { $0 != .none })
        else { return .mapping(fields) }
        var named = self
        let thinking = named["thinking"] ?? reasoning
        named["thinking"] = nil
        named["reasoning_content"] = reasoning
        return .mapping([.init("thinking", thinking)] + named.fields)
    }
}

extension ChatMessage {
    /// The messages of an array as OpenAI spells it.
    ///
    /// A key that is null is left out, as transformers leaves it out: OpenAI and `datasets` write such.
    package static func conversation(
        _ value: JSONValue
    ) throws(ConversationFault) -> [ChatMessage] {
        guard case .array(let values) = value else { throw .notMessages }
        var messages: [ChatMessage] = []
        for (index, value) in values.enumerated() {
            guard case .object(let object) = value else { throw .notMessages }
            guard let role = object["role"] else {
                throw .missing(message: index + 1, key: "role")
            }
            let message = ChatMessage(object)
            guard role.text != nil else { throw .notMessages }
            switch object["content"] {
            case .string, .array: break
            case nil, .null:
                guard message.callsTools else {
                    throw .missing(message: index + 1, key: "content")
                }
            case .object where message.role == "tool": break
            default: throw .notMessages
            }
            messages.append(message)
        }
        return messages
    }

    /// A message as an object has it.
    package init(_ object: JSONObject) {
        fields = object.members.compactMap {
            $0.value == .null ? nil : .init($0.key, TemplateValue($0.value))
        }
    }

    /// Whether the message asks for tools to be called.
    package var callsTools: Bool {
        if case .list(let calls)? = self["tool_calls"] { !calls.isEmpty } else { false }
    }
}
