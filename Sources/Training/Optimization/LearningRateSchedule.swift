import Foundation

/// How the learning rate goes with the steps: up in a line from 0, then down to 0 or level.
///
/// Reference: transformers' `get_linear_schedule_with_warmup`, `get_cosine_schedule_with_warmup`
/// and `get_constant_schedule_with_warmup`.
public struct LearningRateSchedule: Equatable, Sendable {
    /// What follows the rise.
    public enum Shape: String, CaseIterable, Codable, Sendable {
        /// Down in a line, to 0 after the last step.
        case linear
        /// Down along half a period of a cosine, to 0 after the last step.
        case cosine
        /// The peak rate until the end.
        case constant
    }

    public let warmupSteps: Int
    public let totalSteps: Int
    public let shape: Shape

    public init(warmupSteps: Int, totalSteps: Int, shape: Shape = .linear) {
        self.warmupSteps = warmupSteps
        self.totalSteps = totalSteps
        self.shape = shape
    }

    /// The share of the peak rate at a step, counted from 0.
    public func factor(at step: Int) -> Double {
        if step < warmupSteps { return Double(step) / Double(max(1, warmupSteps)) }
        let decaySteps = Double(max(1, totalSteps - warmupSteps))
        switch shape {
        case .linear: return max(0, Double(totalSteps - step) / decaySteps)
        case .cosine:
            let share = min(1, Double(step - warmupSteps) / decaySteps)
            return max(0, (1 + cos(.pi * share)) / 2)
        case .constant: return 1
        }
    }
}
