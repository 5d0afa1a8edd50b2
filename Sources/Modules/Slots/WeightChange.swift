import DualTorch

/// A linear adapter whose change is one of the layer's weight and bias, W + ΔW and b + Δb, so that it
/// can be merged, converted and added to others.
public protocol WeightChange: LinearAdapter {
    /// ΔW (out, in) as the method's paper defines it, in the parameters' type, differentiable.
    func weightUpdate(for base: Linear) throws -> Tensor

    /// W + ΔW in the type of W, outside the graph.
    func updatedWeight(for base: Linear) throws -> Tensor

    /// Δb (out), differentiable, of methods that change the bias too; nil of the others.
    func biasUpdate(for base: Linear) throws -> Tensor?
}

extension WeightChange {
    public func biasUpdate(for base: Linear) throws -> Tensor? { nil }

    /// The sum is formed in float32, or in W's type if that is wider.
    public func updatedWeight(for base: Linear) throws -> Tensor {
        let weight = try base.weight.value
        let wide: DType = weight.dtype == .float64 ? .float64 : .float32
        return try (weight.to(wide) + weightUpdate(for: base).to(wide)).to(weight.dtype)
    }
}
