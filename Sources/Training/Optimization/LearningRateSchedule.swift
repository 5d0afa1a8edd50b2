/// How the learning rate goes with the steps: up in a line from 0, then down in a line to 0.
///
/// Reference: transformers' `get_linear_schedule_with_warmup`.
public struct LearningRateSchedule: Equatable, Sendable {
    public let warmupSteps: Int
    public let totalSteps: Int

    public init(warmupSteps: Int, totalSteps: Int) {
        self.warmupSteps = warmupSteps
        self.totalSteps = totalSteps
    }

    /// The share of the peak rate at a step, counted from 0.
    public func factor(at step: Int) -> Double {
        if step < warmupSteps { return Double(step) / Double(max(1, warmupSteps)) }
        return max(0, Double(totalSteps - step) / Double(max(1, totalSteps - warmupSteps)))
    }
}
