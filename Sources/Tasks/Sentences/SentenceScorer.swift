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
        let metrics = try task.metrics(
            predictions: predictions.compactMap { $0 }, labels: examples.map(\.label))
        return Evaluation(
            loss: total / Double(max(1, examples.count)), metrics: metrics,
            exampleCount: examples.count)
    }
}
