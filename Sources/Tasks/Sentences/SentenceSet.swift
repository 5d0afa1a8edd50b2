import DualDatasets
import DualModels
import DualModules
import DualTorch
import DualTraining

/// Encoded sentences that train.
public struct SentenceSet: TrainingSet {
    private let objective: Objective
    private let examples: [EncodedExample]
    private let paddingID: Int
    private let device: Device

    public init(
        _ task: any SentenceTask.Type, _ examples: [EncodedExample], paddingID: Int,
        device: Device = .cpu
    ) {
        objective = Objective(task)
        self.examples = examples
        self.paddingID = paddingID
        self.device = device
    }

    public var lengths: [Int] { examples.map(\.ids.count) }
    public let batching = Batching.padded

    public func weight(of indices: [Int]) -> Int { indices.count }

    public func add(to fingerprint: inout Fingerprint) {
        fingerprint.add(examples)
    }

    public func loss(
        of model: any TransformerModel, on indices: [Int], mode: ForwardMode
    ) throws -> Tensor {
        let batch = try TokenBatch(examples, indices, paddingID: paddingID, device: device)
        return try objective.loss(
            model.logits(batch, mode: mode), indices.map { examples[$0].label })
    }
}
