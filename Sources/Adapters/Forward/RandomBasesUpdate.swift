import DualModules
import DualTorch

/// RandLoRA's update of one layer, p = max(d, k), q = min(d, k):
///
///     F = s Σ over bases of diag(λ) A diag(γ), (N r, q);  ΔW = B F for k <= d, (B F)ᵀ otherwise
///
/// A product of N r >= q by q with B is as dear as one with the weight for q tokens. So there are two
/// ways, of which the cheaper is taken. In products of T·p·q, the two with W₀ included, a step costs
///
/// - formed, by ``Tensor/linear(through:weight:bias:outputSize:blockBytes:)``: 3 for the layer and its
///   weight's gradient, and 3 q/T for ΔW forward, ΔW backward and Bᵀ ∂ΔW;
/// - as a path, by ``Tensor/linear(beside:weight:bias:outputSize:)``: 2 for the layer, 1 + q/p forward,
///   1 + q/p backward and q/p for ∂F.
///
/// For T = 1024 and d = k that is 5.2 against 7 at 768, 9 against 7 at 2048 and 15 against 7 at 4096.
/// F is formed whenever it is used and never kept: it has the size of the weight.
struct RandomBasesUpdate: FactoredUpdate, LinearPath {
    let bases: RandomBases
    /// λ (r, N) and γ (N, q)
    let lambda, gamma: Tensor
    let outputSize, inputSize: Int
    /// s
    let scale: Double

    var factors: [Tensor] { [lambda, gamma] }

    private var p: Int { max(outputSize, inputSize) }
    private var q: Int { min(outputSize, inputSize) }
    private var rank: Int { lambda.size(0) }
    private var count: Int { lambda.size(1) }
    /// Whether B stands on the output's side.
    private var isTall: Bool { inputSize <= outputSize }

    /// Whether ΔW is the cheaper way for so many tokens.
    func isCheaperFormed(tokens: Int) -> Bool {
        let (p, q) = (Double(p), Double(q))
        return 3 * q / Double(max(1, tokens)) < 1 + 3 * q / p
    }

    // MARK: - The trained side

    /// F (N r, columns): row i N + n is s λ[i, n] A[i] ⊙ γ[n]. B's column is n r + i, so that the two
    /// are not those of one base but as PEFT pairs them.
    private func trained(_ columns: Range<Int>, as other: Tensor) throws -> Tensor {
        let room = try BlockMemory.ofThisThread.take(
            .factor, [rank * count, columns.count], like: other)
        let scaled = try gamma.detached().slice(columns, along: 1) * scale  // (N, columns)
        let rows = try bases.small(q).slice(columns, along: 1).expandedDimension(at: 1)
        let lambda = try lambda.detached().expandedDimension(at: 2)  // (r, N, 1)
        for piece in (0..<rank).pieces(columns: count * columns.count) {
            let values = try (scaled * rows.slice(piece)) * lambda.slice(piece)
            try room.slice(piece.lowerBound * count..<piece.upperBound * count)
                .copy(from: values.reshaped(-1, columns.count))
        }
        return room
    }

    /// The gradients at λ and γ that come from that at columns of F, added to `sums`.
    private func addGradients(
        atTrained gradient: Tensor, _ columns: Range<Int>, to sums: [Tensor]
    ) throws {
        let gamma = try gamma.detached().slice(columns, along: 1)
        let rows = try (bases.small(q).slice(columns, along: 1) * scale).expandedDimension(at: 1)
        let lambda = try lambda.detached().expandedDimension(at: 2)
        let atGamma = try sums[1].slice(columns, along: 1)
        for piece in (0..<rank).pieces(columns: count * columns.count) {
            let given = try gradient.slice(piece.lowerBound * count..<piece.upperBound * count)
                .reshaped(piece.count, count, columns.count).to(lambda.dtype)
            let weighted = try given * rows.slice(piece)  // (some of r, N, columns)
            try sums[0].slice(piece).add((weighted * gamma).sum(along: 2))
            try atGamma.add((weighted * lambda.slice(piece)).sum(along: 0))
        }
    }

    private func roomForGradient(_ columns: Range<Int>, like other: Tensor) throws -> Tensor {
        try BlockMemory.ofThisThread.take(
            .factorGradient, [rank * count, columns.count], like: other)
    }

    private func fixed(_ dtype: DType) throws -> Tensor {
        try bases.large(p, count, as: dtype)
    }

    // MARK: - Formed

    func form(
        rows: Range<Int>, columns: Range<Int>, onto weight: StoredWeight?, into block: Tensor
    ) throws {
        try withoutGradient {
            let fixed = try fixed(block.dtype)
            let (left, right) =
                isTall
                ? (try fixed.slice(rows), try trained(columns, as: block))
                : (
                    try trained(rows, as: block).transposed(),
                    try fixed.slice(columns).transposed()
                )
            if let weight {
                try block.setSum(
                    of: weight.detached().dense(as: block.dtype), andProduct: left, right)
            } else {
                try block.setProduct(left, right)
            }
        }
    }

    func addGradients(of gradient: Tensor, rows: Range<Int>, to sums: [Tensor]) throws {
        try withoutGradient {
            let fixed = try fixed(gradient.dtype)
            let columns = isTall ? 0..<q : rows
            let atTrained = try roomForGradient(columns, like: gradient)
            if isTall {
                try atTrained.setProduct(fixed.slice(rows).transposed(), gradient)
            } else {
                try atTrained.setProduct(fixed.transposed(), gradient.transposed())
            }
            try addGradients(atTrained: atTrained, columns, to: sums)
        }
    }

    // MARK: - As a path

    func add(of input: Tensor, to output: Tensor) throws -> [Tensor] {
        let (fixed, trained) = (try fixed(input.dtype), try trained(0..<q, as: input))
        guard isTall else {
            let inner = try input.matmul(fixed)  // (T, N r)
            try output.add(productOf: inner, trained)
            return [inner]
        }
        try output.add(productOf: input.matmul(trained.transposed()), fixed.transposed())
        return []
    }

    func gradients(
        of gradient: Tensor, input: Tensor, kept: [Tensor], addingTo atInput: Tensor?
    ) throws -> [Tensor] {
        let fixed = try fixed(input.dtype)
        let sums = try factors.map { try Tensor.zeros(like: $0.detached()) }
        let atTrained = try roomForGradient(0..<q, like: input)
        if isTall {
            let atInner = try gradient.matmul(fixed)  // (T, N r)
            try atInput?.add(productOf: atInner, trained(0..<q, as: input))
            try atTrained.setProduct(atInner.transposed(), input)
        } else {
            if let atInput {
                let atInner = try gradient.matmul(trained(0..<q, as: input).transposed())
                try atInput.add(productOf: atInner, fixed.transposed())
            }
            try atTrained.setProduct(kept[0].transposed(), gradient)
        }
        try addGradients(atTrained: atTrained, 0..<q, to: sums)
        return sums
    }
}
