import DualTorch

/// A named weight of a model.
///
/// A box: a layer and the model's table of weights share it, so that a merge is seen by both.
public final class Parameter {
    /// The module path of the reference implementation, for example
    /// `bert.encoder.layer.0.attention.self.query.weight`.
    public let name: String
    public var value: Tensor
    /// Whether it was made here, for the checkpoint has none: it must be trained and saved.
    public let isCreated: Bool

    public init(name: String, value: Tensor, isCreated: Bool = false) {
        self.name = name
        self.value = value
        self.isCreated = isCreated
    }
}
