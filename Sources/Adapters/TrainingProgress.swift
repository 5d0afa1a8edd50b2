/// Where a run stands.
public struct TrainingProgress: Sendable {
    /// Optimizer steps done.
    public let step: Int
    public let totalSteps: Int
    /// Steps in which the learning rate rises.
    public let warmupSteps: Int
    /// Whether the run began with an adapter that was trained before.
    public let startsTrained: Bool

    public init(step: Int, totalSteps: Int, warmupSteps: Int, startsTrained: Bool = false) {
        self.step = step
        self.totalSteps = totalSteps
        self.warmupSteps = warmupSteps
        self.startsTrained = startsTrained
    }
}
