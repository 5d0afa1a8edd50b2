/// The update of Dual LoRA, s ReLU(B A) ⊙ Sign(D C), formed where it is used, and the gradients at its
/// factors (CTorch's `dual_lora.cpp`; Xu et al., eq. 9 and 12). The block of the update is its value.
package enum DualLoRAKernel: String, FusedKernel {
    case update = "duallora::dual_lora_update"
    case gradients = "duallora::dual_lora_gradients"

    package static let support = KernelSupport(.cpuStored)

    /// Puts a block of the update into `block`.
    /// - Parameters:
    ///   - block: (rows, columns), of contiguous rows or of contiguous columns.
    ///   - weight: added to the update, if there is one; it lies as the block does, and has contiguous rows
    ///     where it is stored in a type of its own.
    ///   - b, d: (rows, rank); `a`, `c`: (rank, columns). In any layout.
    package static func form(
        _ block: Tensor, onto weight: StoredWeight?, b: Tensor, a: Tensor, d: Tensor, c: Tensor,
        scale: Double
    ) throws {
        // Where columns are contiguous, they are the operator's rows, and the factors change sides.
        let isTurned = !block.hasContiguousRows || weight?.hasContiguousRows == false
        func turned(_ x: Tensor) throws -> Tensor { isTurned ? try x.transposed() : x }
        let factors = try (isTurned ? [a, b, c, d] : [b, a, d, c]).map {
            OperatorValue.tensor(try turned($0).contiguous())
        }
        let operands = weight.operands
        try update(
            [.tensor(turned(block)), .optional(operands.tensor.map(turned))] + factors
                + [.double(scale), operands.format])
    }

    /// What the gradient at Dual LoRA's update is held within: ±`bound`, at Sign or at the update.
    package typealias Clip = (bound: Double, atUpdate: Bool)

    /// Adds to `sums` the gradients at b, a, d and c.
    /// - Parameters:
    ///   - gradient: at the update (rows, columns).
    ///   - block: becomes the update on the way, if it is given, onto `weight`, if that is given; both of
    ///     contiguous rows.
    package static func addGradients(
        of gradient: Tensor, b: Tensor, a: Tensor, d: Tensor, c: Tensor, scale: Double, clip: Clip,
        to sums: (b: Tensor, a: Tensor, d: Tensor, c: Tensor), forming block: Tensor? = nil,
        onto weight: StoredWeight? = nil
    ) throws {
        let operands = weight.operands
        try gradients([
            .tensor(gradient.withContiguousRows()), .tensor(b), .tensor(a), .tensor(d), .tensor(c),
            .double(scale),
            .double(clip.bound), .bool(clip.atUpdate), .tensor(sums.b), .tensor(sums.a),
            .tensor(sums.d), .tensor(sums.c), .optional(block),
            .optional(operands.tensor), operands.format,
        ])
    }
}
