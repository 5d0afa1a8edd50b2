import DualChat

/// A row of instruction data: what a model is asked, and what it should say.
public enum InstructionExample: Equatable, Sendable {
    /// A task in words, in the form of Alpaca.
    case instruction(Instruction)
    /// A text, and how it goes on.
    case completion(prompt: String, completion: String)
    /// Messages, and what a chat template may ask for besides them: `tools`, `documents`.
    case conversation([ChatTurn], variables: [String: TemplateValue] = [:])
    /// Text without a question.
    case text(String)
}
