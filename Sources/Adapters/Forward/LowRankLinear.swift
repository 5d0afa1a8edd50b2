import DualTorch

/// f ⊙ (x W₀ᵀ) + b + s (x' Aᵀ) Bᵀ: a layer, its outputs scaled or not, beside which a path of low rank
/// runs.
///
/// Two products with W₀, forward and backward; the path's thin products go through one kernel each way
/// that adds to what the products with W₀ gave, where autograd of the plain
/// expression keeps and adds whole outputs. With f, x W₀ᵀ is kept for f's gradient.
struct LowRankLinear {
    /// W₀ (d, k), as it is stored.
    let weight: StoredWeight
    /// b (d), in the type of x.
    let bias: Tensor?
    /// f (d); nil for ones.
    var outputFactors: Tensor?
    /// A (r, k) and B (d, r), which train.
    let down, up: Tensor
    /// s
    let scale: Double

    /// - Parameters:
    ///   - x: (..., k)
    ///   - pathInput: x' (..., k), where elements are dropped on the way to A; nil for x.
    /// - Returns: (..., d)
    func callAsFunction(_ x: Tensor, pathInput: Tensor? = nil) throws -> Tensor {
        guard isFused(x) else { return try plain(x, pathInput ?? x) }
        // What the graph holds is outside it; a tensor of its own would make a ring.
        let run = LowRankRun(
            weight: try weight.detached(), down: try down.detached(), up: try up.detached(),
            scale: scale, factors: try outputFactors?.detached(), isApart: pathInput != nil,
            input: try (pathInput ?? x).detached().reshaped(-1, x.size(-1)).contiguous())
        let (output, kept) = try withoutGradient { try run.forward(x, bias: bias) }
        let inputs = [x] + [pathInput, down, up, outputFactors, bias].compactMap { $0 }
        let isScaled = outputFactors != nil
        return try customFunction("lowRankLinear", of: inputs) {
            [output]
        } backward: { gradients, needed in
            guard let gradient = gradients[0] else { return needed.map { _ in nil } }
            let rows = try gradient.reshaped(-1, gradient.size(-1)).contiguous()  // (T, d)
            let ends = run.isApart ? needed.prefix(2) : needed.prefix(1)
            let atRun = try run.backward(rows, kept, needed: Array(ends))
            let shape = Array(gradient.shape.dropLast()) + [run.input.size(1)]
            let atInputs = try atRun.inputs.map { try $0?.reshaped(shape) }
            let known = atInputs + atRun.factors + (isScaled ? [atRun.outputFactors] : [])
            // The bias comes last, if there is one.
            guard known.count < needed.count else { return known }
            return try known + [needed.last == true ? rows.sum(along: 0) : nil]
        }[0]
    }

    /// The definition, by LibTorch's operators.
    private func plain(_ x: Tensor, _ pathInput: Tensor) throws -> Tensor {
        let inner = try pathInput.linear(down.to(x.dtype))  // (..., r)
        let path = try scale * inner.linear(up.to(x.dtype))
        guard let outputFactors else { return try x.projected(by: weight, bias: bias) + path }
        let scaled = try (x.projected(by: weight) * outputFactors).to(x.dtype)
        return try bias.map { try scaled + $0 + path } ?? scaled + path
    }

    /// A layer that trains itself, such as a pooler made anew, needs its own product's graph.
    private func isFused(_ x: Tensor) -> Bool {
        !weight.requiresGradient && LowRankKernel.takes(x, factors: [down, up])
            && outputFactors.map { ColumnScaleKernel.takes(x, factors: [$0]) } ?? true
    }
}

/// One call of the layer by the kernels: what its backward needs, outside the graph.
private struct LowRankRun {
    let weight: StoredWeight
    let down, up: Tensor
    let scale: Double
    let factors: Tensor?
    /// Whether the path has an input of its own.
    let isApart: Bool
    /// x' (T, k)
    let input: Tensor

    /// What the forward leaves for the backward: x' Aᵀ, and x W₀ᵀ (T, d) if it is scaled.
    typealias Kept = (inner: Tensor, product: Tensor?)

    func forward(_ x: Tensor, bias: Tensor?) throws -> (output: Tensor, kept: Kept) {
        let product = try x.projected(by: weight, bias: factors == nil ? bias : nil).contiguous()
        let rows = try product.reshaped(-1, product.size(-1))
        guard let factors else { return (product, (try addPath(to: rows), nil)) }
        let scaled = try ColumnScaleKernel.scale(rows, by: factors, bias: bias)
        return (try scaled.reshaped(product.shape), (try addPath(to: scaled), rows))
    }

    /// - Returns: what the backward needs of x' Aᵀ.
    private func addPath(to output: Tensor) throws -> Tensor {
        try LowRankKernel.add(input, down: down, up: up, scale: scale, to: output)
    }

    /// - Parameters:
    ///   - gradient: at the output (T, d).
    ///   - needed: whether x needs its gradient, and x' if it is apart.
    /// - Returns: the gradients at x, and at x' if it is apart, at A and B, and at f.
    func backward(
        _ gradient: Tensor, _ kept: Kept, needed: [Bool]
    ) throws -> (inputs: [Tensor?], factors: [Tensor?], outputFactors: Tensor?) {
        var (atProduct, atOutputFactors): (Tensor, Tensor?) = (gradient, nil)
        if let factors, let product = kept.product {
            (atProduct, atOutputFactors) = try ColumnScaleKernel.gradients(
                from: gradient, product, factors: factors)
        }
        let atInput = needed[0] ? try atProduct.matmul(weight) : nil  // (T, k)
        let atPath = isApart && needed[1] ? try Tensor.zeros(like: input) : nil
        let atFactors = try LowRankKernel.gradients(
            from: gradient, input, inner: kept.inner, down: down, up: up, scale: scale,
            addingTo: isApart ? atPath : atInput)
        return (
            isApart ? [atInput, atPath] : [atInput], [atFactors.down, atFactors.up],
            atOutputFactors
        )
    }
}
