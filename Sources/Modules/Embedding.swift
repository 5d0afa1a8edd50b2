import DualTorch

/// A table of vectors, looked up by number.
public final class Embedding {
    /// (count, size)
    public let weight: Parameter
    /// A row that gets no gradient from being looked up: `padding_idx` of PyTorch.
    private let frozenRow: Int?

    public init(
        _ scope: WeightScope, count: Int, size: Int, deviation: Double = 0.02,
        frozenRow: Int? = nil
    ) throws {
        self.frozenRow = frozenRow
        weight = try scope.parameter(
            "weight", shape: [count, size], initial: .normal(deviation: deviation))
    }

    /// (...) of int64 to (..., size).
    public func callAsFunction(_ indices: Tensor) throws -> Tensor {
        try weight.value.embedding(indices, frozenRow: frozenRow)
    }
}
