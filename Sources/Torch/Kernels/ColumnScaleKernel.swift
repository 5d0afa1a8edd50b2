/// Columns times numbers of their own, x ⊙ f + b, and the gradients, in one pass each way, in float32
/// whatever the type of x (CTorch's `column_scale.cpp`). f is its factor.
package enum ColumnScaleKernel: String, FusedKernel {
    case forward = "duallora::scale_columns"
    case backward = "duallora::scale_columns_backward"

    package static let support = KernelSupport(.cpu)

    /// x ⊙ f + b
    /// - Parameters:
    ///   - x: (T, d); `factors`: (d); `bias`: (d), if there is one.
    package static func scale(
        _ x: Tensor, by factors: Tensor, bias: Tensor? = nil
    ) throws -> Tensor {
        let x = try x.contiguous()
        let scaled = try x.emptyLike()
        try forward([.tensor(scaled), .tensor(x), .tensor(factors), .optional(bias)])
        return scaled
    }

    /// The gradients at x (T, d) and f (d).
    package static func gradients(
        from gradient: Tensor, _ x: Tensor, factors: Tensor
    ) throws -> (x: Tensor, factors: Tensor) {
        try backward.pair([
            .tensor(gradient.contiguous()), .tensor(x.contiguous()), .tensor(factors),
        ])
    }
}
