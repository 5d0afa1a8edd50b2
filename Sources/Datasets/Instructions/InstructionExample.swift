import DualChat

/// A row of instruction data: what a model is asked, and what it should say.
public enum InstructionExample: Equatable, Sendable {
    /// A task in words, in the form of Alpaca.
    case instruction(Instruction)
    /// A text, and how it goes on.
    case completion(prompt: String, completion: String)
    case conversation([ChatTurn])
    /// Text without a question.
    case text(String)
}

/// A task in words, what it works on, and the answer.
///
/// Source: Taori et al. 2023, Stanford Alpaca, whose data has these three fields.
public struct Instruction: Equatable, Sendable {
    public var instruction: String
    /// What the task works on; empty where the instruction says it all.
    public var input: String
    public var output: String
    /// What a system message says of the answers.
    public var system: String?

    public init(instruction: String, input: String = "", output: String, system: String? = nil) {
        self.instruction = instruction
        self.input = input
        self.output = output
        self.system = system
    }
}

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
