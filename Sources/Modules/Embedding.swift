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
    /// What vectors are given in where the table is stored in fewer bits; nil for the table's own type.
    private let wide: DType?

    public init(
        _ scope: WeightScope, count: Int, size: Int, deviation: Double = 0.02,
        frozenRow: Int? = nil
    ) throws {
        path = scope.path
        self.frozenRow = frozenRow
        wide = scope.source.dtype.flatMap { $0.isNarrow ? nil : $0 }
        weight = try scope.parameter(
            "weight", shape: [count, size], initial: .normal(deviation: deviation))
    }

    /// (...) of int64 to (..., size).
    public func callAsFunction(_ indices: Tensor) throws -> Tensor {
        try adapter?(indices, through: self) ?? frozen(indices)
    }

    /// The vectors of consecutive numbers: (count of the range, size).
    package func callAsFunction(_ range: Range<Int>) throws -> Tensor {
        guard adapter != nil else { return try widened(weight.stored.slice(range).dense()) }
        return try self(Tensor(Array(range)).to(device: weight.stored.device))
    }

    /// The table without its adapter. Of a table in fewer bits than is computed with, the vectors are widened:
    /// their sum with others is not rounded to them.
    public func frozen(_ indices: Tensor) throws -> Tensor {
        guard let table = weight.stored.plainTensor else {
            return try weight.stored.gathered(rows: indices.reshaped(-1))
                .reshaped(indices.shape + [weight.stored.size(1)])
        }
        return try widened(table.embedding(indices, frozenRow: frozenRow))
    }

    private func widened(_ vectors: Tensor) throws -> Tensor {
        guard let wide, vectors.dtype.isNarrow else { return vectors }
        return try vectors.to(wide)
    }
}
