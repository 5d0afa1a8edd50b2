import Foundation

/// What happens while a model is trained, for whoever shows or records it.
public enum TrainingEvent: Sendable {
    case step(StepRecord)
    case evaluated(EvaluationRecord)
    /// A checkpoint was written, with what messages call it, such as its path.
    case checkpoint(String)
    /// A score goes on.
    case scoring(ScoringProgress)
    /// What was trained is saved; only a last score may follow.
    case trained
}

/// The state after one optimizer step; the loss is the mean since the last record.
public struct StepRecord: Codable, Equatable, Sendable {
    /// Steps done, from 1.
    public var step: Int
    public var epoch: Double
    public var loss: Double
    /// Of what the method trains, at this step.
    public var learningRate: Double
    /// Of all gradients before they were limited.
    public var gradientNorm: Double
    /// Tokens seen since the run began, without padding.
    public var tokens: Int
    /// Of training since the run began.
    public var seconds: Double

    enum CodingKeys: String, CodingKey {
        case step, epoch, loss, tokens, seconds
        case learningRate = "learning_rate"
        case gradientNorm = "gradient_norm"
    }
}

/// A score on the task's dev split.
public struct EvaluationRecord: Codable, Equatable, Sendable {
    /// Steps done.
    public var step: Int
    /// Null where it is not finite, as metrics are.
    public var evaluationLoss: Double?
    /// None where only the loss was asked for.
    public var metrics: [String: Double?]
    /// true of what a run ends with, where it was scored apart from the run's steps.
    public var isFinal: Bool?

    enum CodingKeys: String, CodingKey {
        case step, metrics
        case evaluationLoss = "evaluation_loss"
        case isFinal = "final"
    }

    init(step: Int, loss: Double) {
        self.step = step
        evaluationLoss = loss.isFinite ? loss : nil
        metrics = [:]
    }

    init(step: Int, _ evaluation: Evaluation) {
        self.step = step
        evaluationLoss = evaluation.loss.isFinite ? evaluation.loss : nil
        let pairs = evaluation.metrics.map { ($0.name, $0.value.isFinite ? $0.value : nil) }
        metrics = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }
}
