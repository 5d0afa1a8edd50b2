import DualModules
import DualTorch

extension Linear {
    /// The layer and a path of low rank beside it: x W₀ᵀ + b + s (x' Aᵀ) Bᵀ, in the type of x.
    /// - Parameters:
    ///   - dropout: probability of dropping elements of x on the way to A, in training.
    ///   - down: A (r, k).
    ///   - up: B (d, r).
    ///   - scale: s.
    ///   - biasUpdate: what is added to b (d), if something is.
    func withPath(
        _ x: Tensor, dropout: Double = 0, mode: ForwardMode, down: Tensor, up: Tensor,
        scale: Double, biasUpdate: Tensor? = nil
    ) throws -> Tensor {
        let bias = try sum(bias?.value, biasUpdate)
        let layer = LowRankLinear(
            weight: weight.stored, bias: try bias?.to(x.dtype), down: down, up: up,
            scale: scale)
        let drops = mode.isTraining && dropout > 0
        return try layer(
            x, pathInput: drops ? mode.dropping(x, probability: dropout) : nil)
    }
}

/// The sum of those that are there; nil where neither is.
private func sum(_ first: Tensor?, _ second: Tensor?) throws -> Tensor? {
    guard let first, let second else { return first ?? second }
    return try first + second
}
