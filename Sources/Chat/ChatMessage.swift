/// One turn of a conversation.
public struct ChatMessage: Codable, Equatable, Sendable {
    /// Who speaks: `system`, `user` or `assistant`, as far as the template knows it.
    public var role: String
    public var content: String

    public init(role: String, content: String) {
        self.role = role
        self.content = content
    }
}
