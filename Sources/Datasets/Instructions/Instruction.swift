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
