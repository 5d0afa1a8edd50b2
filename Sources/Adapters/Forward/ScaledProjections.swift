import DualTorch

/// The path b ⊙ (B (e ⊙ (A x))) through frozen projections, whose scales alone train.
///
/// Five thin products a step, one fewer than LoRA's: nothing is wanted of ∂A.
struct ScaledProjections: LinearPath {
    /// A (r, k) and B (d, r), which may be views of larger ones.
    let down, up: Tensor
    /// e (r) and b (d)
    let inner, outer: Tensor

    var factors: [Tensor] { [outer, inner] }

    /// diag(b) B (d, r)
    private func scaledUp(_ dtype: DType) throws -> Tensor {
        try (up * outer.detached().expandedDimension(at: 1)).to(dtype)
    }

    func add(of input: Tensor, to output: Tensor) throws -> [Tensor] {
        let dtype = input.dtype
        let projected = try input.matmul(down.to(dtype).transposed())  // (T, r)
        let scaled = try scaledColumns(projected)
        try output.add(productOf: scaled, scaledUp(dtype).transposed())
        return [projected]
    }

    /// With u = x Aᵀ and g = ∂y diag(b) B: ∂x = (g ⊙ e) A, ∂e = Σ g ⊙ u, and of ∂b the sums of
    /// B ⊙ (∂yᵀ u) along its rows, each element times its e, which no output of the path's is kept for.
    func gradients(
        of gradient: Tensor, input: Tensor, kept: [Tensor], addingTo atInput: Tensor?
    ) throws -> [Tensor] {
        let (dtype, projected) = (input.dtype, kept[0])
        let atScaled = try gradient.matmul(scaledUp(dtype))  // (T, r)
        let (atProjected, atInner) = try scaledColumnsGradients(atScaled, projected)
        try atInput?.add(productOf: atProjected, down.to(dtype))
        let atUp = try gradient.transposed().matmul(projected)  // (d, r)
        return [try (up * atUp.wide()).matmul(inner.detached()), atInner]
    }

    // MARK: - u ⊙ e

    private func scaledColumns(_ x: Tensor) throws -> Tensor {
        let factors = try inner.detached()
        guard ColumnScaleKernel.takes(x, factors: [factors]) else {
            return try x * factors.to(x.dtype)
        }
        return try ColumnScaleKernel.scale(x, by: factors)
    }

    /// The gradients at u and e.
    private func scaledColumnsGradients(
        _ gradient: Tensor, _ x: Tensor
    ) throws -> (Tensor, Tensor) {
        let factors = try inner.detached()
        guard ColumnScaleKernel.takes(x, factors: [factors]) else {
            return (
                try gradient * factors.to(x.dtype), try (gradient.wide() * x.wide()).sum(along: 0)
            )
        }
        return try ColumnScaleKernel.gradients(from: gradient, x, factors: factors)
    }
}
