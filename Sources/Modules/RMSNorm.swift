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
        let weight = try weight.value.to(x.dtype)
        return try x.narrowRMSNorm(weight: weight, epsilon: epsilon)
            ?? x.rmsNorm(weight: weight, epsilon: epsilon)
    }
}
