import DualTorch

/// How the gradient passes Sign in Dual LoRA; the names are those of `sign_grad`.
public enum SignGradient: String, CaseIterable, Sendable {
    /// clip(∂L/∂Sign, ±1): eq. 7, which clips after the scale and the magnitude.
    case clip = "ste_clip"
    /// clip(∂L/∂ΔW, ±1) times scale and magnitude: eq. 12 as it is printed.
    case clipUpdate = "ste_clip_dw"
}

/// The update of Dual LoRA, ω s ReLU(B A) ⊙ Sign(D C), block by block.
///
/// The plain expressions are the definition; the operators beside them, for float32 factors in this
/// machine's memory, do the same in registers (CTorch's `dual_lora.cpp`).
struct DualLoRAUpdate: FactoredUpdate {
    /// A (r₁, k), B (d, r₁), C (r₂, k), D (d, r₂).
    let a, b, c, d: Tensor
    /// ω s
    let scale: Double
    let signGradient: SignGradient

    var factors: [Tensor] { [a, b, c, d] }

    func form(
        rows: Range<Int>, columns: Range<Int>, onto weight: Tensor?, into block: Tensor
    ) throws {
        try withoutGradient {
            let left = try [b, d].map { try $0.detached().slice(rows) }
            let right = try [a, c].map { try $0.detached().slice(columns, along: 1) }
            if isFused(block.dtype), isFused(weight?.dtype ?? block.dtype) {
                return try fuse(left, right, onto: weight, into: block)
            }
            let magnitude = try left[0].matmul(right[0]).relu()
            let update = try scale * (magnitude * binarySign(left[1].matmul(right[1])))
            try block.copy(from: weight.map { try $0 + update } ?? update)
        }
    }

    /// By the operator, whose rows lie as those of the block do: of a weight that is kept transposed
    /// they are its columns, and the factors change sides.
    private func fuse(
        _ left: [Tensor], _ right: [Tensor], onto weight: Tensor?, into block: Tensor
    ) throws {
        if !hasPlainRows(block) || !(weight.map(hasPlainRows) ?? true) {
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
        try withoutGradient {
            if isFused(gradient.dtype) {
                return try addFusedGradients(of: gradient, rows: rows, to: sums)
            }
            let (b, d) = (try b.slice(rows), try d.slice(rows))
            let gradient = try gradient.to(a.dtype)
            let product = try b.matmul(a)
            let scaled = try gradient * scale
            let atProduct = try scaled * binarySign(d.matmul(c)) * (product > 0)
            let atSign =
                switch signGradient {
                case .clip: try (scaled * product.relu()).clamped(from: -1, to: 1)
                case .clipUpdate: try scale * gradient.clamped(from: -1, to: 1) * product.relu()
                }
            try sums[0].add(b.transposed().matmul(atProduct))
            try sums[1].slice(rows).add(atProduct.matmul(a.transposed()))
            try sums[2].add(d.transposed().matmul(atSign))
            try sums[3].slice(rows).add(atSign.matmul(c.transposed()))
        }
    }

    /// In one pass, for B A and D C serve both.
    func form(
        rows: Range<Int>, onto weight: Tensor?, into block: Tensor,
        addingGradientsOf gradient: Tensor, to sums: [Tensor]
    ) throws {
        let isPlain = hasPlainRows(block) && weight.map(hasPlainRows) ?? true
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
                .bool(signGradient == .clipUpdate), .tensor(atB), .tensor(sums[0]), .tensor(atD),
                .tensor(sums[2]), .optional(block), .optional(weight),
            ])
    }

    private func hasPlainRows(_ matrix: Tensor) -> Bool {
        matrix.size(1) < 2 || matrix.strides[1] == 1
    }

    private func isFused(_ dtype: DType) -> Bool {
        (dtype == .float32 || dtype == .bfloat16)
            && factors.allSatisfy {
                $0.dtype == .float32 && $0.device.kind == .cpu && $0.isContiguous
            }
    }
}
