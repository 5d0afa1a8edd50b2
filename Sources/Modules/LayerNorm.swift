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
        try x.layerNorm(
            weight: weight.value.to(x.dtype), bias: bias.value.to(x.dtype), epsilon: epsilon)
    }
}
