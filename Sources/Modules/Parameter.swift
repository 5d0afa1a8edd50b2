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
    /// The weight as it is stored, which products read.
    public var stored: StoredWeight
    /// Whether the value was made here, for the checkpoint has none: it must be trained and saved.
    public let isCreated: Bool
    public let storage: Storage
    /// The start of the value where no checkpoint gives it, if the model says so.
    public let initial: Initialization?
    /// The format of the quantised blocks that a plain weight was made of, for a device without kernels for
    /// blocks; nil for every other weight.
    package let widenedFrom: BlockFormat?

    public convenience init(
        name: String, stored: StoredWeight, isCreated: Bool = false, storage: Storage = .asIs,
        initial: Initialization? = nil
    ) {
        self.init(
            name: name, stored: stored, isCreated: isCreated, storage: storage,
            initial: initial, widenedFrom: nil)
    }

    package init(
        name: String, stored: StoredWeight, isCreated: Bool, storage: Storage,
        initial: Initialization?, widenedFrom: BlockFormat?
    ) {
        self.widenedFrom = widenedFrom
        self.name = name
        self.stored = stored
        self.isCreated = isCreated
        self.storage = storage
        self.initial = initial
    }

    public convenience init(
        name: String, value: Tensor, isCreated: Bool = false, storage: Storage = .asIs,
        initial: Initialization? = nil
    ) {
        self.init(
            name: name, stored: .plain(value), isCreated: isCreated, storage: storage,
            initial: initial)
    }

    /// The numbers: the tensor itself, or for quantised blocks a copy in float32.
    public var value: Tensor { get throws { try stored.dense() } }

    /// The numbers as a checkpoint keeps them.
    /// - Parameter dtype: of quantised blocks; nil for float32.
    public func inCheckpointLayout(blocksAs dtype: DType? = nil) throws -> Tensor {
        let numbers = try stored.isBlocks ? stored.dense(as: dtype) : value
        return storage == .transposed ? try numbers.transposed() : numbers
    }
}
