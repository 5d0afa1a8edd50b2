import DualTorch

/// The update of HiRA, W₀ ⊙ (B A), block by block.
///
/// The plain expressions are the definition; the kernel beside them does the same in registers.
struct HiRAUpdate: FactoredUpdate {
    /// A (r, k) and B (d, r).
    let a, b: Tensor
    /// W₀ (d, k), whichever way it lies in memory, outside the graph.
    let weight: StoredWeight

    var factors: [Tensor] { [a, b] }

    func form(
        rows: Range<Int>, columns: Range<Int>, onto sum: StoredWeight?, into block: Tensor
    ) throws {
        try withoutGradient {
            let left = try b.detached().slice(rows)
            let right = try a.detached().slice(columns, along: 1)
            let own = try weight.slice(rows).slice(columns: columns)
            if isFused(block) {
                return try HiRAKernel.form(
                    block, weight: own, b: left, a: right, addsWeight: sum != nil)
            }
            let wide = try own.dense(as: a.dtype)
            let update = try wide * left.matmul(right)
            try block.copy(from: sum == nil ? update : wide + update)
        }
    }

    /// H = W₀ ⊙ G, ∂A = Bᵀ H, ∂B = H Aᵀ.
    func addGradients(of gradient: Tensor, rows: Range<Int>, to sums: [Tensor]) throws {
        try withoutGradient {
            if isFused(gradient) {
                return try addFusedGradients(of: gradient, rows: rows, to: sums)
            }
            let atProduct = try weight.slice(rows).dense(as: a.dtype) * gradient.to(a.dtype)
            try sums[0].add(b.slice(rows).transposed().matmul(atProduct))
            try sums[1].slice(rows).add(atProduct.matmul(a.transposed()))
        }
    }

    /// In one pass, for W₀ serves both.
    func form(
        rows: Range<Int>, onto sum: StoredWeight?, into block: Tensor,
        addingGradientsOf gradient: Tensor, to sums: [Tensor]
    ) throws {
        guard isFused(gradient), block.hasContiguousRows else {
            try addGradients(of: gradient, rows: rows, to: sums)
            return try form(
                rows: rows, columns: 0..<gradient.size(1), onto: sum, into: block)
        }
        try withoutGradient {
            try addFusedGradients(
                of: gradient, rows: rows, to: sums, forming: block, addsWeight: sum != nil)
        }
    }

    private func addFusedGradients(
        of gradient: Tensor, rows: Range<Int>, to sums: [Tensor], forming block: Tensor? = nil,
        addsWeight: Bool = false
    ) throws {
        try HiRAKernel.addGradients(
            of: gradient, weight: weight.slice(rows), b: b.slice(rows), a: a,
            to: (b: sums[1].slice(rows), a: sums[0]), forming: block, addsWeight: addsWeight)
    }

    /// Whether the kernel forms such blocks.
    private func isFused(_ block: Tensor) -> Bool {
        HiRAKernel.takes(block, weights: [weight.plainTensor], factors: factors)
    }
}
