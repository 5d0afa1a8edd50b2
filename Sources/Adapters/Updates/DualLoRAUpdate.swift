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

    func formed(
        rows: Range<Int>, columns: Range<Int>, onto weight: Tensor?, as dtype: DType
    ) throws -> Tensor {
        try withoutGradient {
            if isFused(dtype), isFused(weight?.dtype ?? dtype) {
                return try fused(rows: rows, columns: columns, onto: weight, as: dtype)
            }
            let (magnitude, sign) = try (
                b.slice(rows).matmul(a.slice(columns, along: 1)).relu(),
                binarySign(d.slice(rows).matmul(c.slice(columns, along: 1)))
            )
            let update = try scale * (magnitude * sign)
            return try (weight.map { try $0 + update } ?? update).to(dtype)
        }
    }

    /// By the operator, whose rows lie as those of the weight do: of a weight that is kept transposed
    /// they are its columns, and the factors change sides.
    private func fused(
        rows: Range<Int>, columns: Range<Int>, onto weight: Tensor?, as dtype: DType
    ) throws -> Tensor {
        let left = try [b, d].map { try $0.slice(rows) }
        let right = try [a, c].map { try $0.slice(columns, along: 1) }
        if let weight, weight.size(1) > 1, weight.strides[1] != 1 {
            return try fused(
                right.map { try $0.transposed() }, left.map { try $0.transposed() },
                onto: weight.transposed(), as: dtype
            ).transposed()
        }
        return try fused(left, right, onto: weight, as: dtype)
    }

    private func fused(
        _ left: [Tensor], _ right: [Tensor], onto weight: Tensor?, as dtype: DType
    ) throws -> Tensor {
        let (left, right) = (
            try left.map { try $0.contiguous() }, try right.map { try $0.contiguous() }
        )
        let block = try Tensor.empty([left[0].size(0), right[0].size(1)], dtype: dtype)
        _ = try callOperator(
            "duallora::dual_lora_update",
            [
                .tensor(block), .optional(weight), .tensor(left[0]), .tensor(right[0]),
                .tensor(left[1]), .tensor(right[1]), .double(scale),
            ])
        return block
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
    func formed(
        rows: Range<Int>, onto weight: Tensor?, addingGradientsOf gradient: Tensor,
        to sums: [Tensor]
    ) throws -> Tensor {
        let isPlain = weight.map { $0.size(1) < 2 || $0.strides[1] == 1 } ?? true
        guard isFused(gradient.dtype), isFused(weight?.dtype ?? gradient.dtype), isPlain else {
            try addGradients(of: gradient, rows: rows, to: sums)
            return try formed(
                rows: rows, columns: 0..<gradient.size(1), onto: weight, as: gradient.dtype)
        }
        return try withoutGradient {
            let block = try Tensor.empty(gradient.shape, dtype: gradient.dtype)
            try addFusedGradients(of: gradient, rows: rows, to: sums, forming: block, onto: weight)
            return block
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

    private func isFused(_ dtype: DType) -> Bool {
        (dtype == .float32 || dtype == .bfloat16)
            && factors.allSatisfy {
                $0.dtype == .float32 && $0.device.kind == .cpu && $0.isContiguous
            }
    }
}
