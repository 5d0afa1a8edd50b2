import DualDatasets
import DualModels
import DualTorch
import DualTraining

/// Runs a model over examples and scores what it says.
public struct SentenceScorer: Scorer {
    public let task: any SentenceTask.Type
    public let examples: [EncodedExample]
    let paddingID: Int
    let device: Device
    private let batchSize = 64

    public init(
        _ task: any SentenceTask.Type, _ examples: [EncodedExample], paddingID: Int,
        device: Device = .cpu
    ) {
        self.task = task
        self.examples = examples
        self.paddingID = paddingID
        self.device = device
    }

    /// A line of JSON: what the model says, and what is right.
    private static func line(_ prediction: Label, _ label: Label) -> String {
        "{\"prediction\": \(prediction.number), \"gold\": \(label.number)}"
    }

    public func add(to fingerprint: inout Fingerprint) { fingerprint.add(examples) }

    public func evaluate(
        _ model: any TransformerModel, progress: (ScoringProgress) throws -> Void = { _ in }
    ) throws -> Evaluation {
        let objective = Objective(task)
        var predictions = [Label?](repeating: nil, count: examples.count)
        var (total, done) = (0.0, 0)
        for indices in BatchPlan.byLength(examples.map(\.ids.count), batchSize: batchSize) {
            let batch = try TokenBatch(examples, indices, paddingID: paddingID, device: device)
            let labels = indices.map { examples[$0].label }
            let logits = try withoutGradient { try model.logits(batch) }
            total += try objective.loss(logits, labels).item() * Double(indices.count)
            for (index, label) in try zip(indices, objective.predictions(logits)) {
                predictions[index] = label
            }
            done += indices.count
            try progress(
                ScoringProgress(stage: .losses, done: done, total: examples.count))
        }
        let labels = examples.map(\.label)
        let found = predictions.compactMap { $0 }
        let metrics = try task.metrics(predictions: found, labels: labels)
        return Evaluation(
            loss: total / Double(max(1, examples.count)), metrics: metrics,
            exampleCount: examples.count, predictions: zip(found, labels).map(Self.line))
    }
}

extension Label {
    /// As JSON has it.
    fileprivate var number: String {
        switch self {
        case .category(let id): "\(id)"
        case .score(let score): score.isFinite ? "\(score)" : "null"
        }
    }
}
