import DualTorch

/// A table of vectors, looked up by number.
public final class Embedding {
    /// (count, size)
    public let weight: Parameter

    public init(
        _ scope: WeightScope, count: Int, size: Int, deviation: Double = 0.02
    ) throws {
        weight = try scope.parameter(
            "weight", shape: [count, size], initial: .normal(deviation: deviation))
    }

    /// (...) of int64 to (..., size).
    public func callAsFunction(_ indices: Tensor) throws -> Tensor {
        try weight.value.embedding(indices)
    }
}
