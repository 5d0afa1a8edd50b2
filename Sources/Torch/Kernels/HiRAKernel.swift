/// The update of HiRA, W₀ ⊙ (B A), formed where it is used, and the gradients at its factors (CTorch's
/// `hira.cpp`; Huang et al. 2025, eq. 4). The block of the update is its value.
package enum HiRAKernel: String, FusedKernel {
    case update = "duallora::hira_update"
    case gradients = "duallora::hira_gradients"

    package static let support = KernelSupport(.cpuStored)

    /// Puts a block of the update into `block`.
    /// - Parameters:
    ///   - block: (rows, columns), of contiguous rows or of contiguous columns.
    ///   - weight: the block of W₀, in any layout; of quantised blocks where the block's rows are contiguous.
    ///   - b: (rows, rank); `a`: (rank, columns). In any layout.
    ///   - addsWeight: whether the block becomes W₀ ⊙ (1 + B A).
    package static func form(
        _ block: Tensor, weight: StoredWeight, b: Tensor, a: Tensor, addsWeight: Bool
    ) throws {
        // Where columns are contiguous, they are the operator's rows, and the factors change sides.
        let isTurned = !block.hasContiguousRows
        func turned(_ x: Tensor) throws -> Tensor { isTurned ? try x.transposed() : x }
        let (tensor, format) = weight.operands
        let rows = weight.isBlocks ? tensor : try turned(tensor).withContiguousRows()
        try update([
            .tensor(turned(block)), .tensor(rows),
            .tensor(turned(isTurned ? a : b).contiguous()),
            .tensor(turned(isTurned ? b : a).contiguous()), .bool(addsWeight), format,
        ])
    }

    /// Adds to `sums` the gradients at b and a.
    /// - Parameters:
    ///   - gradient: at the update (rows, columns).
    ///   - weight: the block of W₀, in any layout; of quantised blocks where the block's rows are contiguous.
    ///   - block: becomes the update on the way, if it is given; of contiguous rows.
    package static func addGradients(
        of gradient: Tensor, weight: StoredWeight, b: Tensor, a: Tensor,
        to sums: (b: Tensor, a: Tensor),
        forming block: Tensor? = nil, addsWeight: Bool = false
    ) throws {
        let (tensor, format) = weight.operands
        try gradients([
            .tensor(gradient.withContiguousRows()), .tensor(tensor.withContiguousRows()),
            .tensor(b), .tensor(a),
            .tensor(sums.b), .tensor(sums.a), .optional(block), .bool(addsWeight),
            format,
        ])
    }
}
