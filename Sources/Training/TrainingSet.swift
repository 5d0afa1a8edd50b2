import DualModels
import DualModules
import DualTorch

/// Examples in a model's own numbers, and what the model's loss on them is.
public protocol TrainingSet {
    /// Tokens of each example.
    var lengths: [Int] { get }
    /// How examples come together in a batch.
    var batching: Batching { get }

    /// Adds all that the examples are: their tokens, and what of them is learnt.
    func add(to fingerprint: inout Fingerprint)
    /// What the mean loss of the examples counts for in a step: how many things are predicted.
    func weight(of indices: [Int]) -> Int
    /// The mean loss of the examples, differentiable.
    func loss(
        of model: any TransformerModel, on indices: [Int], mode: ForwardMode
    ) throws -> Tensor
}
