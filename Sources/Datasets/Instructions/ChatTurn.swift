import DualChat

/// A message of a conversation to learn from.
public struct ChatTurn: Equatable, Sendable {
    public var message: ChatMessage
    /// Whether the message is one that the model should learn to say: an assistant's, but for those that
    /// the data excludes.
    public var isLearnt: Bool

    public init(_ message: ChatMessage, isLearnt: Bool) {
        self.message = message
        self.isLearnt = isLearnt
    }
}
