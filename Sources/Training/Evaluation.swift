/// What a model scores on a task.
public struct Evaluation: Sendable {
    /// The mean loss of what is predicted.
    public let loss: Double
    /// The primary metric first.
    public let metrics: [(name: String, value: Double)]
    public let exampleCount: Int
    /// What the model predicted, a line each, of tasks whose predictions can be kept.
    public let predictions: [String]

    public init(
        loss: Double, metrics: [(name: String, value: Double)], exampleCount: Int,
        predictions: [String] = []
    ) {
        self.loss = loss
        self.metrics = metrics
        self.exampleCount = exampleCount
        self.predictions = predictions
    }

    public var value: Double { metrics.first?.value ?? .nan }
}
