import DualTorch

/// x (W₀ + ΔW)ᵀ + b for an update that is made from small factors, keeping only x and the factors.
///
/// The update is formed, used and freed in the forward, and formed again in the backward: nothing of
/// the size of a weight outlives the call. Three products of T·d·k: forward, gradient at x, gradient
/// at the update.
/// - Parameters:
///   - weight: W₀ (d, k), frozen, added to the update; nil for x ΔWᵀ alone.
///   - bias: b (d), frozen; in one product with the weight, as the layer without the update has it.
///   - update: ΔW (d, k) from the factors' present values.
///   - factorGradients: gradients of the loss at the factors, from G = ∂L/∂ΔW (d, k).
/// - Returns: (..., d), in the type of x.
func linearThroughUpdate(
    _ x: Tensor, weight: Tensor?, bias: Tensor?, factors: [Tensor],
    update: @escaping () throws -> Tensor,
    factorGradients: @escaping (Tensor) throws -> [Tensor]
) throws -> Tensor {
    let x = try x.contiguous()
    // The graph holds this closure; a tensor that is in the graph itself would make a ring.
    let input = try x.detached()
    func updatedWeight() throws -> Tensor {
        let change = try update()
        guard let weight else { return try change.to(input.dtype) }
        return try (weight + change).to(input.dtype)
    }
    return try customFunction("linearThroughUpdate", of: [x] + factors) {
        [try input.projected(by: updatedWeight(), bias: bias?.to(input.dtype))]
    } backward: { gradients, needed in
        guard let gradient = gradients[0] else { return needed.map { _ in nil } }
        var results = [Tensor?](repeating: nil, count: 1 + factors.count)
        if needed[0] { results[0] = try gradient.matmul(updatedWeight()) }
        if needed.dropFirst().contains(true) {
            let rows = try gradient.reshaped(-1, gradient.size(-1))  // (T, d)
            let columns = try input.reshaped(-1, input.size(-1))  // (T, k)
            let atUpdate = try rows.transposed().matmul(columns).to(factors[0].dtype)  // (d, k)
            results.replaceSubrange(1..., with: try factorGradients(atUpdate))
        }
        return results
    }[0]
}
