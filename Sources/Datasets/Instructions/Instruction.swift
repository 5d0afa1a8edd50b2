import DualChat

/// A task in words, what it works on, and the answer.
///
/// Source: Taori et al. 2023, Stanford Alpaca, whose data has the first three fields; LLaMA-Factory's form
/// of it has the others.
public struct Instruction: Equatable, Sendable {
    /// A question that came before, and its answer.
    public struct Exchange: Equatable, Sendable {
        public var question: String
        public var answer: String

        public init(question: String, answer: String) {
            self.question = question
            self.answer = answer
        }
    }

    public var instruction: String
    /// What the task works on; empty where the instruction says it all.
    public var input: String
    public var output: String
    /// What a system message says of the answers.
    public var system: String?
    /// What was said before the instruction.
    public var history: [Exchange]
    /// What the chat template may ask for besides: `tools`.
    public var variables: [String: TemplateValue]

    public init(
        instruction: String, input: String = "", output: String, system: String? = nil,
        history: [Exchange] = [], variables: [String: TemplateValue] = [:]
    ) {
        self.instruction = instruction
        self.input = input
        self.output = output
        self.system = system
        self.history = history
        self.variables = variables
    }
}
