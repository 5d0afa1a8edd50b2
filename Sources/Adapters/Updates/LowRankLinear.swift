import DualTorch

/// x W₀ᵀ + b + s (x' Aᵀ) Bᵀ: a layer beside which a path of low rank runs, W₀ and b frozen.
///
/// Two products with W₀, forward and backward, and six thin ones, whose results are added in place:
/// autograd of the plain expression keeps and adds whole outputs.
struct LowRankLinear {
    /// W₀ (d, k) and b (d), in the type of x.
    let weight: Tensor
    let bias: Tensor?
    /// A (r, k) and B (d, r), which train.
    let down, up: Tensor
    /// s
    let scale: Double

    /// - Parameters:
    ///   - x: (..., k)
    ///   - pathInput: x' (..., k), where elements are dropped on the way to A; nil for x.
    /// - Returns: (..., d)
    func callAsFunction(_ x: Tensor, pathInput: Tensor? = nil) throws -> Tensor {
        let parts = try withoutGradient {
            (
                input: try (pathInput ?? x).detached().reshaped(-1, x.size(-1)),
                down: try down.to(x.dtype), up: try (scale * up).to(x.dtype)
            )
        }
        let inner = try withoutGradient { try parts.input.linear(parts.down) }  // (T, r)
        let inputs = [x] + (pathInput.map { [$0] } ?? []) + [down, up]
        return try customFunction("lowRankLinear", of: inputs) {
            let output = try x.projected(by: weight, bias: bias)
            try output.reshaped(-1, output.size(-1)).addProduct(inner, parts.up.transposed())
            return [output]
        } backward: { gradients, needed in
            guard let gradient = gradients[0] else { return needed.map { _ in nil } }
            let rows = try gradient.reshaped(-1, gradient.size(-1))  // (T, d)
            let atInner = try rows.matmul(parts.up)  // (T, r)
            func shaped(_ x: Tensor) throws -> Tensor {
                try x.reshaped(Array(gradient.shape.dropLast()) + [x.size(-1)])
            }
            var results: [Tensor?] = []
            let atInput = needed[0] ? try rows.matmul(weight) : nil  // (T, k)
            if needed.count == 3 {
                try atInput?.addProduct(atInner, parts.down)
                results.append(try atInput.map(shaped))
            } else {
                results.append(try atInput.map(shaped))
                results.append(needed[1] ? try shaped(atInner.matmul(parts.down)) : nil)
            }
            let atDown = try atInner.transposed().matmul(parts.input).to(down.dtype)
            let atUp = try rows.transposed().matmul(inner).to(up.dtype) * scale
            return results + [atDown, atUp]
        }[0]
    }
}
