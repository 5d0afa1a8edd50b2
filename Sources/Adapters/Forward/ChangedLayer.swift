import DualModules
import DualTorch

extension Linear {
    /// The layer with a change that is a part of its own product where that can be: x W'ᵀ + b, or
    /// x W₀ᵀ + b + x' ΔWᵀ where elements of x' are dropped, or where the layer trains itself, such as a
    /// pooler made anew, and needs its own product's graph.
    /// - Parameters:
    ///   - dropout: probability of dropping elements of the change's input.
    ///   - change: of its input, and of W₀ and b where they are its part; nil for ΔW alone.
    func changed(
        _ x: Tensor, dropout: Double, mode: ForwardMode,
        by change: (_ input: Tensor, _ weight: StoredWeight?, _ bias: Tensor?) throws -> Tensor
    ) throws -> Tensor {
        let drops = mode.isTraining && dropout > 0
        let input = drops ? try mode.dropping(x, probability: dropout) : x
        guard drops || weight.stored.requiresGradient else {
            return try change(input, weight.stored, bias?.value)
        }
        return try frozen(x, onto: change(input, nil, nil))
    }

    /// The layer without its adapter, and what that adds (..., out). In a narrow type both are rounded as one:
    /// beside a number that is already rounded, a small one is nothing.
    func frozen(_ x: Tensor, onto change: Tensor) throws -> Tensor {
        // Of blocks the product is not formed beside a sum.
        guard x.dtype.isNarrow, let weight = try weight.stored.operand(as: x.dtype) else {
            return try frozen(x) + change
        }
        let rows = try change.reshaped(-1, outputSize)
        let sum = try rows.addingProduct(
            of: x.reshaped(-1, inputSize), weight.transposed()
        ).reshaped(change.shape)
        return try bias.map { try sum + $0.value.to(x.dtype) } ?? sum
    }
}
