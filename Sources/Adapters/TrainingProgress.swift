/// Where a run stands.
public struct TrainingProgress: Sendable {
    /// Optimizer steps done.
    public let step: Int
    public let totalSteps: Int
    /// Steps in which the learning rate rises.
    public let warmupSteps: Int

    public init(step: Int, totalSteps: Int, warmupSteps: Int) {
        self.step = step
        self.totalSteps = totalSteps
        self.warmupSteps = warmupSteps
    }
}
