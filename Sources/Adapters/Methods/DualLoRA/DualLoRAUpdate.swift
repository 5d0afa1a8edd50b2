import DualTorch

/// The update of Dual LoRA as the paper has it, ω s ReLU(B A) ⊙ Sign(D C), block by block, for
/// rules of the gradient that only clip.
///
/// A kernel forms it in registers; what that does not take goes through ``PlainDualLoRAUpdate``.
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

    /// Whether the kernel forms such blocks, onto such a weight.
    private func isFused(_ block: Tensor, onto weight: StoredWeight? = nil) -> Bool {
        DualLoRAKernel.takes(block, weights: [weight?.plainTensor], factors: factors)
    }

    func form(
        rows: Range<Int>, columns: Range<Int>, onto weight: StoredWeight?, into block: Tensor
    ) throws {
        guard isFused(block, onto: weight) else {
            return try plain.form(rows: rows, columns: columns, onto: weight, into: block)
        }
        try withoutGradient {
            func left(_ factor: Tensor) throws -> Tensor { try factor.detached().slice(rows) }
            func right(_ factor: Tensor) throws -> Tensor {
                try factor.detached().slice(columns, along: 1)
            }
            try DualLoRAKernel.form(
                block, onto: weight, b: left(b), a: right(a), d: left(d), c: right(c), scale: scale)
        }
    }

    /// Eq. 12 with the clip where ``signGradient`` has it:
    /// Q = ω s G ⊙ S ⊙ 1[BA > 0], ∂A = Bᵀ Q, ∂B = Q Aᵀ;
    /// P = clip(ω s G ⊙ R, -1, 1), ∂C = Dᵀ P, ∂D = P Cᵀ.
    func addGradients(of gradient: Tensor, rows: Range<Int>, to sums: [Tensor]) throws {
        guard isFused(gradient) else {
            return try plain.addGradients(of: gradient, rows: rows, to: sums)
        }
        try withoutGradient { try addFusedGradients(of: gradient, rows: rows, to: sums) }
    }

    /// In one pass, for B A and D C serve both.
    func form(
        rows: Range<Int>, onto weight: StoredWeight?, into block: Tensor,
        addingGradientsOf gradient: Tensor, to sums: [Tensor]
    ) throws {
        guard isFused(gradient, onto: weight), block.hasContiguousRows,
            weight?.hasContiguousRows != false
        else {
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
        onto weight: StoredWeight? = nil
    ) throws {
        try DualLoRAKernel.addGradients(
            of: gradient, b: b.slice(rows), a: a, d: d.slice(rows), c: c, scale: scale,
            clip: (signGradient.bound ?? .infinity, atUpdate: signGradient == .clipUpdate),
            to: (b: sums[1].slice(rows), a: sums[0], d: sums[3].slice(rows), c: sums[2]),
            forming: block, onto: weight)
    }
}
