import DualTorch

/// x / √(mean(x²) + ε) over the last dimension, scaled. Zhang and Sennrich 2019, arXiv:1910.07467.
public final class RMSNorm {
    public let weight: Parameter
    private let epsilon: Double

    public init(_ scope: WeightScope, size: Int, epsilon: Double) throws {
        weight = try scope.parameter("weight", shape: [size], initial: .ones)
        self.epsilon = epsilon
    }

    /// The mean is computed in float32 at least, whatever the type of `x`.
    public func callAsFunction(_ x: Tensor) throws -> Tensor {
        try callAsFunction(adding: nil, to: x).normed
    }

    /// The stream with a branch added, if there is one, and the norm of that sum, in one pass.
    public func callAsFunction(
        adding branch: Tensor?, to stream: Tensor
    ) throws -> (sum: Tensor, normed: Tensor) {
        try stream.rmsNorm(
            adding: branch, weight: weight.value.to(stream.dtype), epsilon: epsilon)
    }
}
