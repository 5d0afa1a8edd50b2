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
