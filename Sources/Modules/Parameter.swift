import DualTorch

/// A named weight of a model.
///
/// A box: a layer and the model's table of weights share it, so that a merge is seen by both.
public final class Parameter {
    /// The layout of a matrix in a checkpoint.
    public enum Storage: Sendable {
        case asIs
        /// (in, out), where the model has (out, in): GPT-2's `Conv1D`.
        case transposed
    }

    /// The module path of the reference implementation, for example
    /// `bert.encoder.layer.0.attention.self.query.weight`.
    public let name: String
    public var value: Tensor
    /// Whether the value was made here, for the checkpoint has none: it must be trained and saved.
    public let isCreated: Bool
    public let storage: Storage
    /// The start of the value where no checkpoint gives it, if the model says so.
    public let initial: Initialization?

    public init(
        name: String, value: Tensor, isCreated: Bool = false, storage: Storage = .asIs,
        initial: Initialization? = nil
    ) {
        self.name = name
        self.value = value
        self.isCreated = isCreated
        self.storage = storage
        self.initial = initial
    }

    /// The value as a checkpoint keeps it.
    public func stored() throws -> Tensor {
        storage == .transposed ? try value.transposed() : value
    }
}
