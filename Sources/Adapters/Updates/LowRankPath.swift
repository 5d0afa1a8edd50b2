import DualModules
import DualTorch

extension Linear {
    /// The layer and a path of low rank beside it: x W₀ᵀ + b + s (x' Aᵀ) Bᵀ, in the type of x.
    /// - Parameters:
    ///   - pathInput: x', where elements are dropped on the way to A; nil for x.
    ///   - down: A (r, k).
    ///   - up: B (d, r).
    ///   - scale: s.
    func withPath(
        _ x: Tensor, pathInput: Tensor? = nil, down: Tensor, up: Tensor, scale: Double
    ) throws -> Tensor {
        // A layer that trains itself, such as a pooler made anew, needs its own product's graph.
        guard !weight.value.requiresGradient else {
            let inner = try (pathInput ?? x).linear(down.to(x.dtype))  // (..., r)
            return try frozen(x) + scale * inner.linear(up.to(x.dtype))
        }
        let bias = try bias?.value.to(x.dtype)
        let trainsBias = bias?.requiresGradient ?? false
        let layer = LowRankLinear(
            weight: try weight.value.to(x.dtype), bias: trainsBias ? nil : bias, down: down,
            up: up, scale: scale)
        let output = try layer(x, pathInput: pathInput)
        guard trainsBias, let bias else { return output }
        return try output + bias
    }
}
