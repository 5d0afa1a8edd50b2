import DualTorch

/// A table of vectors, looked up by number.
public final class Embedding {
    /// The module's path in the reference implementation, without `.weight`.
    public let path: String
    /// (count, size)
    public let weight: Parameter
    /// The adapter through which vectors are looked up; nil for the table alone.
    public var adapter: (any EmbeddingAdapter)?
    /// A row that gets no gradient from being looked up: `padding_idx` of PyTorch.
    private let frozenRow: Int?

    public init(
        _ scope: WeightScope, count: Int, size: Int, deviation: Double = 0.02,
        frozenRow: Int? = nil
    ) throws {
        path = scope.path
        self.frozenRow = frozenRow
        weight = try scope.parameter(
            "weight", shape: [count, size], initial: .normal(deviation: deviation))
    }

    /// (...) of int64 to (..., size).
    public func callAsFunction(_ indices: Tensor) throws -> Tensor {
        try adapter?(indices, through: self) ?? frozen(indices)
    }

    /// The vectors of consecutive numbers: (count of the range, size).
    package func callAsFunction(_ range: Range<Int>) throws -> Tensor {
        guard adapter != nil else { return try weight.value.slice(range) }
        return try self(Tensor(Array(range)).to(device: weight.value.device))
    }

    /// The table without its adapter.
    public func frozen(_ indices: Tensor) throws -> Tensor {
        try weight.value.embedding(indices, frozenRow: frozenRow)
    }
}
