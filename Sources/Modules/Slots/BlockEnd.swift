import DualTorch

/// The end of one block of a model, with a slot for an adapter.
public final class BlockEnd {
    /// The block's path in the reference implementation.
    public let path: String
    /// The weight (E) of a norm of the block: an adapter takes its device, and its type if that is wide.
    public let norm: Parameter
    /// The adapter that changes the block's output; nil leaves it alone.
    public var adapter: (any BlockAdapter)?

    public init(path: String, beside norm: Parameter) {
        self.path = path
        self.norm = norm
    }

    /// E
    public var hiddenSize: Int { norm.stored.size(0) }

    /// A block's output (B, T, E).
    public func callAsFunction(
        _ x: Tensor, at places: TokenPlaces, mode: ForwardMode
    ) throws -> Tensor {
        try adapter?(x, at: places, mode: mode) ?? x
    }

    /// The stream and the branch that is still to be added to it; added only where an adapter wants
    /// their sum.
    public func callAsFunction(
        _ x: ResidualStream, at places: TokenPlaces, mode: ForwardMode
    ) throws -> ResidualStream {
        guard let adapter else { return x }
        let sum = try x.branch.map { try x.stream + $0 } ?? x.stream
        return ResidualStream(try adapter(sum, at: places, mode: mode))
    }
}
