import DualTorch

/// A weight as W = U Σ (Vᵀ C⁻¹), the singular value decomposition of W C turned back by C: the
/// triples stand in the order in which they matter to inputs of covariance C. Yang et al.
/// 2024, eq. 2-4.
///
/// Reference: PEFT's `collect_eigens_for_layer`.
struct ContextDecomposition {
    /// U (d, q), σ (q) falling, and Vᵀ C⁻¹ (q, k), q the smaller of d and k.
    let left, values, right: Tensor

    /// - Parameter path: the layer's, for errors.
    init(of weight: Tensor, under covariance: Tensor, path: String) throws {
        let (damped, inverse) = try Self.invertible(covariance, path: path)
        let triples = try weight.detached().to(damped.dtype).matmul(damped)
            .singularValueDecomposition()
        (left, values) = (triples.left, triples.values)
        right = try triples.right.matmul(inverse)
    }

    /// C with as much of its mean variance on the diagonal as its inverse needs to be one.
    private static func invertible(
        _ covariance: Tensor, path: String
    ) throws -> (damped: Tensor, inverse: Tensor) {
        let variance = try covariance.diagonal().mean().item()
        var share = 0.01
        while variance.isFinite, variance > 0, share < 1e6 {
            let damped = try covariance.cloned()
            _ = try damped.diagonal().add(.scalar(variance * share, dtype: damped.dtype))
            let inverse = try damped.inverse()
            let product = try damped.matmul(inverse)
            _ = try product.diagonal().add(.scalar(-1, dtype: product.dtype))
            if try product.norm().item() < 0.05 { return (damped, inverse) }
            share *= 2
        }
        throw AdapterError.notCalibrated(
            layer: path, reason: "the covariance of its input has no inverse")
    }

    /// A = √Σ Vᵀ C⁻¹ (r, k) and B = U √Σ (d, r) of the first triples or the last.
    func factors(rank: Int, takingFirst: Bool) throws -> (down: Tensor, up: Tensor) {
        let count = values.size(0)
        let chosen = takingFirst ? 0..<rank : (count - rank)..<count
        let root = try values.slice(chosen).squareRoot()
        return (
            try right.slice(chosen) * root.expandedDimension(at: 1),
            try left.slice(chosen, along: 1) * root
        )
    }
}
