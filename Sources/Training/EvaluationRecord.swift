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
