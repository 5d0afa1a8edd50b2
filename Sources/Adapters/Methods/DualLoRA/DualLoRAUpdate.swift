import DualTorch

/// The update of Dual LoRA as the paper has it, ω s ReLU(B A) ⊙ Sign(D C), block by block, for
/// rules of the gradient that only clip.
///
/// For float32 factors in this machine's memory operators form it in registers (CTorch's
/// `dual_lora.cpp`); others go through ``PlainDualLoRAUpdate``.
struct DualLoRAUpdate: FactoredUpdate {
    /// A (r₁, k), B (d, r₁), C (r₂, k), D (d, r₂).
    let a, b, c, d: Tensor
    /// ω s
    let scale: Double
    let signGradient: SignGradient

    var factors: [Tensor] { [a, b, c, d] }

    private var plain: PlainDualLoRAUpdate {
        get throws {
            try PlainDualLoRAUpdate(
                DualLoRAFactors(a: a, b: b, .learned(c: c, d: d)),
                DualLoRAVariant(signGradient: signGradient), scale: scale)
        }
    }

    func form(
        rows: Range<Int>, columns: Range<Int>, onto weight: Tensor?, into block: Tensor
    ) throws {
        guard isFused(block.dtype), isFused(weight?.dtype ?? block.dtype) else {
            return try plain.form(rows: rows, columns: columns, onto: weight, into: block)
        }
        try withoutGradient {
            let left = try [b, d].map { try $0.detached().slice(rows) }
            let right = try [a, c].map { try $0.detached().slice(columns, along: 1) }
            try fuse(left, right, onto: weight, into: block)
        }
    }

    /// By the operator, whose rows lie as those of the block do: of a weight that is kept
    /// transposed they are its columns, and the factors change sides.
    private func fuse(
        _ left: [Tensor], _ right: [Tensor], onto weight: Tensor?, into block: Tensor
    ) throws {
        if !block.hasPlainRows || weight?.hasPlainRows == false {
            return try fuse(
                right.map { try $0.transposed() }, left.map { try $0.transposed() },
                onto: weight?.transposed(), into: block.transposed())
        }
        let (left, right) = (
            try left.map { try $0.contiguous() }, try right.map { try $0.contiguous() }
        )
        _ = try callOperator(
            "duallora::dual_lora_update",
            [
                .tensor(block), .optional(weight), .tensor(left[0]), .tensor(right[0]),
                .tensor(left[1]), .tensor(right[1]), .double(scale),
            ])
    }

    /// Eq. 12 with the clip where ``signGradient`` has it:
    /// Q = ω s G ⊙ S ⊙ 1[BA > 0], ∂A = Bᵀ Q, ∂B = Q Aᵀ;
    /// P = clip(ω s G ⊙ R, -1, 1), ∂C = Dᵀ P, ∂D = P Cᵀ.
    func addGradients(of gradient: Tensor, rows: Range<Int>, to sums: [Tensor]) throws {
        guard isFused(gradient.dtype) else {
            return try plain.addGradients(of: gradient, rows: rows, to: sums)
        }
        try withoutGradient { try addFusedGradients(of: gradient, rows: rows, to: sums) }
    }

    /// In one pass, for B A and D C serve both.
    func form(
        rows: Range<Int>, onto weight: Tensor?, into block: Tensor,
        addingGradientsOf gradient: Tensor, to sums: [Tensor]
    ) throws {
        let isPlain = block.hasPlainRows && weight?.hasPlainRows != false
        guard isFused(gradient.dtype), isFused(weight?.dtype ?? gradient.dtype), isPlain else {
            try addGradients(of: gradient, rows: rows, to: sums)
            return try form(
                rows: rows, columns: 0..<gradient.size(1), onto: weight, into: block)
        }
        try withoutGradient {
            try addFusedGradients(of: gradient, rows: rows, to: sums, forming: block, onto: weight)
        }
    }

    private func addFusedGradients(
        of gradient: Tensor, rows: Range<Int>, to sums: [Tensor], forming block: Tensor? = nil,
        onto weight: Tensor? = nil
    ) throws {
        let (b, d) = (try b.slice(rows), try d.slice(rows))
        let (atB, atD) = (try sums[1].slice(rows), try sums[3].slice(rows))
        _ = try callOperator(
            "duallora::dual_lora_gradients",
            [
                .tensor(gradient), .tensor(b), .tensor(a), .tensor(d), .tensor(c), .double(scale),
                .double(signGradient.bound ?? .infinity), .bool(signGradient == .clipUpdate),
                .tensor(atB), .tensor(sums[0]), .tensor(atD), .tensor(sums[2]),
                .optional(block), .optional(weight),
            ])
    }

    private func isFused(_ dtype: DType) -> Bool {
        dtype.hasKernels && factors.allSatisfy(\.isKernelFactor)
    }
}
