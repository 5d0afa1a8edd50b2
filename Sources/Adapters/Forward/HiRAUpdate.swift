import DualTorch

/// The update of HiRA, W₀ ⊙ (B A), block by block.
///
/// The plain expressions are the definition; the operators beside them, for float32 factors in this
/// machine's memory, do the same in registers (CTorch's `hira.cpp`).
struct HiRAUpdate: FactoredUpdate {
    /// A (r, k) and B (d, r).
    let a, b: Tensor
    /// W₀ (d, k), whichever way it lies in memory, outside the graph.
    let weight: Tensor

    var factors: [Tensor] { [a, b] }

    func form(
        rows: Range<Int>, columns: Range<Int>, onto sum: Tensor?, into block: Tensor
    ) throws {
        try withoutGradient {
            let left = try b.detached().slice(rows)
            let right = try a.detached().slice(columns, along: 1)
            let own = try weight.slice(rows).slice(columns, along: 1)
            if isFused(block.dtype), isFused(weight.dtype) {
                return try fuse(left, right, own, addsWeight: sum != nil, into: block)
            }
            let wide = try own.to(a.dtype)
            let update = try wide * left.matmul(right)
            try block.copy(from: sum == nil ? update : wide + update)
        }
    }

    /// By the operator, whose rows lie as those of the block do: of a block that is kept transposed they
    /// are its columns, and the factors change sides.
    private func fuse(
        _ left: Tensor, _ right: Tensor, _ own: Tensor, addsWeight: Bool, into block: Tensor
    ) throws {
        guard block.hasPlainRows else {
            return try fuse(
                right.transposed(), left.transposed(), own.transposed(), addsWeight: addsWeight,
                into: block.transposed())
        }
        _ = try callOperator(
            "duallora::hira_update",
            [
                .tensor(block), .tensor(withPlainRows(own)), .tensor(left.contiguous()),
                .tensor(right.contiguous()), .bool(addsWeight),
            ])
    }

    /// H = W₀ ⊙ G, ∂A = Bᵀ H, ∂B = H Aᵀ.
    func addGradients(of gradient: Tensor, rows: Range<Int>, to sums: [Tensor]) throws {
        try withoutGradient {
            if isFused(gradient.dtype), isFused(weight.dtype) {
                return try addFusedGradients(of: gradient, rows: rows, to: sums)
            }
            let atProduct = try weight.slice(rows).to(a.dtype) * gradient.to(a.dtype)
            try sums[0].add(b.slice(rows).transposed().matmul(atProduct))
            try sums[1].slice(rows).add(atProduct.matmul(a.transposed()))
        }
    }

    /// In one pass, for W₀ serves both.
    func form(
        rows: Range<Int>, onto sum: Tensor?, into block: Tensor,
        addingGradientsOf gradient: Tensor, to sums: [Tensor]
    ) throws {
        guard isFused(gradient.dtype), isFused(weight.dtype), block.hasPlainRows else {
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
        _ = try callOperator(
            "duallora::hira_gradients",
            [
                .tensor(gradient), .tensor(withPlainRows(weight.slice(rows))),
                .tensor(b.slice(rows)), .tensor(a), .tensor(sums[1].slice(rows)),
                .tensor(sums[0]), .optional(block), .bool(addsWeight),
            ])
    }

    /// A block of W₀ whose rows are contiguous: a copy where it is kept transposed.
    private func withPlainRows(_ matrix: Tensor) throws -> Tensor {
        matrix.hasPlainRows ? matrix : try matrix.contiguous()
    }

    private func isFused(_ dtype: DType) -> Bool {
        dtype.hasKernels && weight.device.kind == .cpu && factors.allSatisfy(\.isKernelFactor)
    }
}
