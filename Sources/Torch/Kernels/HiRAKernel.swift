/// The update of HiRA, W₀ ⊙ (B A), formed where it is used, and the gradients at its factors (CTorch's
/// `hira.cpp`; Huang et al. 2025, eq. 4). The block of the update is its value.
package enum HiRAKernel: String, FusedKernel {
    case update = "duallora::hira_update"
    case gradients = "duallora::hira_gradients"

    package static let support = KernelSupport(.cpu)

    /// Puts a block of the update into `block`.
    /// - Parameters:
    ///   - block: (rows, columns), of contiguous rows or of contiguous columns.
    ///   - weight: the block of W₀, in any layout.
    ///   - b: (rows, rank); `a`: (rank, columns). In any layout.
    ///   - addsWeight: whether the block becomes W₀ ⊙ (1 + B A).
    package static func form(
        _ block: Tensor, weight: Tensor, b: Tensor, a: Tensor, addsWeight: Bool
    ) throws {
        // Where columns are contiguous, they are the operator's rows, and the factors change sides.
        let isTurned = !block.hasContiguousRows
        func turned(_ x: Tensor) throws -> Tensor { isTurned ? try x.transposed() : x }
        try update([
            .tensor(turned(block)), .tensor(turned(weight).withContiguousRows()),
            .tensor(turned(isTurned ? a : b).contiguous()),
            .tensor(turned(isTurned ? b : a).contiguous()), .bool(addsWeight),
        ])
    }

    /// Adds to `sums` the gradients at b and a.
    /// - Parameters:
    ///   - gradient: at the update (rows, columns).
    ///   - weight: the block of W₀, in any layout.
    ///   - block: becomes the update on the way, if it is given; of contiguous rows.
    package static func addGradients(
        of gradient: Tensor, weight: Tensor, b: Tensor, a: Tensor, to sums: (b: Tensor, a: Tensor),
        forming block: Tensor? = nil, addsWeight: Bool = false
    ) throws {
        try gradients([
            .tensor(gradient.withContiguousRows()), .tensor(weight.withContiguousRows()),
            .tensor(b), .tensor(a),
            .tensor(sums.b), .tensor(sums.a), .optional(block), .bool(addsWeight),
        ])
    }
}
