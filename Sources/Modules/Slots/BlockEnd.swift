import DualTorch

/// A change to what a block of a model hands on.
public protocol BlockAdapter: AdapterPart {
    /// (B, T, E) to (B, T, E), in the type of `x`.
    func callAsFunction(_ x: Tensor, at place: TokenPlaces, mode: ForwardMode) throws -> Tensor
}

/// The end of one block of a model, with a slot for an adapter.
public final class BlockEnd {
    /// The block's path in the reference implementation.
    public let path: String
    /// The weight (E) of a norm of the block: what trains here has its place, and its type if that
    /// is wide.
    public let norm: Parameter
    /// What stands in the slot changes the block's output; nil leaves it alone.
    public var adapter: (any BlockAdapter)?

    public init(path: String, beside norm: Parameter) {
        self.path = path
        self.norm = norm
    }

    /// E
    public var hiddenSize: Int { norm.value.size(0) }

    /// A block's output (B, T, E).
    public func callAsFunction(
        _ x: Tensor, at place: TokenPlaces, mode: ForwardMode
    ) throws -> Tensor {
        try adapter?(x, at: place, mode: mode) ?? x
    }

    /// The same of a stream and a branch that is still to be added to it, which only an adapter
    /// adds.
    public func callAsFunction(
        _ x: ResidualStream, at place: TokenPlaces, mode: ForwardMode
    ) throws -> ResidualStream {
        guard let adapter else { return x }
        let sum = try x.branch.map { try x.stream + $0 } ?? x.stream
        return ResidualStream(try adapter(sum, at: place, mode: mode))
    }
}
