/// How far a score has come.
public struct ScoringProgress: Equatable, Sendable {
    /// What is made of the examples: where text is generated, losses come first.
    public enum Stage: String, Sendable {
        case losses, answers
    }
    public let stage: Stage
    /// Examples.
    public let done: Int
    public let total: Int

    public init(stage: Stage, done: Int, total: Int) {
        self.stage = stage
        self.done = done
        self.total = total
    }
}
