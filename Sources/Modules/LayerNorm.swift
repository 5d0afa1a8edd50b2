import DualTorch

/// (x - mean) / √(variance + ε) over the last dimension, scaled and shifted. Ba et al. 2016,
/// arXiv:1607.06450.
public final class LayerNorm {
    public let weight: Parameter
    public let bias: Parameter
    private let epsilon: Double

    public init(_ scope: WeightScope, size: Int, epsilon: Double) throws {
        weight = try scope.parameter("weight", shape: [size], initial: .ones)
        bias = try scope.parameter("bias", shape: [size], initial: .zeros)
        self.epsilon = epsilon
    }

    /// Statistics are computed in float32 at least, whatever the type of `x`.
    public func callAsFunction(_ x: Tensor) throws -> Tensor {
        try callAsFunction(adding: nil, to: x).normed
    }

    /// The stream with a branch added, if there is one, and the norm of that sum, in one pass.
    public func callAsFunction(
        adding branch: Tensor?, to stream: Tensor
    ) throws -> (sum: Tensor, normed: Tensor) {
        try stream.layerNorm(
            adding: branch, weight: weight.value.to(stream.dtype),
            bias: bias.value.to(stream.dtype), epsilon: epsilon)
    }
}
