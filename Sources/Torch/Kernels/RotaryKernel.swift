/// Heads turned by the angles of their positions, in one pass (CTorch's `rotary.cpp`; Su et al. 2021,
/// arXiv:2104.09864). Values in any layout; it gives no gradients at the tables.
enum RotaryKernel: String, FusedKernel {
    case rotary = "duallora::rotary"

    static let support = KernelSupport(.cpu)

    /// - Parameters:
    ///   - x: (B, T, H, D) with D even.
    ///   - cosine: (..., T, D), for all rows or for each, as `signedSine` is.
    ///   - backward: whether to turn back, as the gradient is.
    /// - Returns: (B, T, H, D)
    static func turn(
        _ x: Tensor, cosine: Tensor, signedSine: Tensor, backward: Bool
    ) throws -> Tensor {
        try rotary.result([.tensor(x), .tensor(cosine), .tensor(signedSine), .bool(backward)])
    }
}
