/// A path of low rank beside a layer, y + s (x Aᵀ) Bᵀ, and its gradients (CTorch's `low_rank.cpp`; Hu et
/// al. 2021, eq. 3). A and B are its factors.
package enum LowRankKernel: String, FusedKernel {
    case forward = "duallora::low_rank"
    case backward = "duallora::low_rank_backward"

    package static let support = KernelSupport(.cpu)

    /// Adds the path's output to y, in place.
    /// - Parameters:
    ///   - x: (T, k)
    ///   - down: A (r, k); `up`: B (d, r).
    ///   - y: (T, d), in contiguous memory.
    /// - Returns: what the backward needs of x Aᵀ.
    package static func add(
        _ x: Tensor, down: Tensor, up: Tensor, scale: Double, to y: Tensor
    ) throws -> Tensor {
        try forward.result([
            .tensor(y), .tensor(x.contiguous()), .tensor(down), .tensor(up), .double(scale),
        ])
    }

    /// The gradients at A and B.
    /// - Parameters:
    ///   - gradient: at y (T, d).
    ///   - inner: what the forward returned.
    ///   - atInput: the gradient at x (T, k), to which the path's is added in contiguous memory; nil where
    ///     it is not needed.
    package static func gradients(
        from gradient: Tensor, _ x: Tensor, inner: Tensor, down: Tensor, up: Tensor,
        scale: Double, addingTo atInput: Tensor?
    ) throws -> (down: Tensor, up: Tensor) {
        try backward.pair([
            .tensor(gradient.contiguous()), .tensor(x.contiguous()), .tensor(inner), .tensor(down),
            .tensor(up), .double(scale), .optional(atInput),
        ])
    }
}
