import DualTorch

/// x W₀ᵀ + b + s (x' Aᵀ) Bᵀ: a layer beside which a path of low rank runs, W₀ and b frozen.
///
/// Two products with W₀, forward and backward; the path's thin products go through one operator each way
/// (CTorch's `low_rank.cpp`) that adds to what the products with W₀ gave, where autograd of the plain
/// expression keeps and adds whole outputs.
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
        guard isFused(x) else { return try plain(x, pathInput ?? x) }
        // The graph holds this; a tensor that is in the graph itself would make a ring.
        let input = try (pathInput ?? x).detached().reshaped(-1, x.size(-1)).contiguous()
        let (output, inner) = try withoutGradient {
            let output = try x.projected(by: weight, bias: bias).contiguous()
            let rows = try output.reshaped(-1, output.size(-1))
            return (output, try operate("duallora::low_rank", [rows, input])[0])
        }
        let inputs = [x] + (pathInput.map { [$0] } ?? []) + [down, up]
        return try customFunction("lowRankLinear", of: inputs) {
            [output]
        } backward: { gradients, needed in
            guard let gradient = gradients[0] else { return needed.map { _ in nil } }
            let rows = try gradient.reshaped(-1, gradient.size(-1)).contiguous()  // (T, d)
            let atInput = needed[0] ? try rows.matmul(weight) : nil  // (T, k)
            let isApart = needed.count == 4
            let atPath = isApart && needed[1] ? try Tensor.zeros(like: input) : nil
            let atFactors = try operate(
                "duallora::low_rank_backward", [rows, input, inner],
                addingTo: isApart ? atPath : atInput)
            func shaped(_ x: Tensor?) throws -> Tensor? {
                try x?.reshaped(Array(gradient.shape.dropLast()) + [input.size(1)])
            }
            let atInputs = isApart ? try [shaped(atInput), shaped(atPath)] : [try shaped(atInput)]
            return atInputs + atFactors
        }[0]
    }

    private func operate(
        _ name: String, _ given: [Tensor], addingTo sum: Tensor? = nil
    ) throws -> [Tensor] {
        let factors: [OperatorValue] = try [
            .tensor(down.detached()), .tensor(up.detached()), .double(scale),
        ]
        let rest: [OperatorValue] = sum.map { [.tensor($0)] } ?? []
        return try callOperator(name, given.map(OperatorValue.tensor) + factors + rest).compactMap {
            if case .tensor(let tensor) = $0 { tensor } else { nil }
        }
    }

    /// The definition, by LibTorch's operators.
    private func plain(_ x: Tensor, _ pathInput: Tensor) throws -> Tensor {
        let inner = try pathInput.linear(down.to(x.dtype))  // (..., r)
        return try x.projected(by: weight, bias: bias) + scale * inner.linear(up.to(x.dtype))
    }

    private func isFused(_ x: Tensor) -> Bool {
        (x.dtype == .float32 || x.dtype == .bfloat16) && x.device.kind == .cpu
            && [down, up].allSatisfy { $0.dtype == .float32 && $0.isContiguous }
    }
}
