import CTorch

/// Products of few rows, as when text is generated, by a kernel that reads the weight at the speed of the
/// memory (CTorch's `narrow_product.cpp`), in whatever it is stored. No operator: the dispatcher would take as
/// long as a product.
enum NarrowProductKernel {
    static let support = KernelSupport(.cpuContiguous)

    /// The most rows for which it was measured to be faster than LibTorch's products.
    static func mostRows(_ dtype: DType) -> Int { dtype == .bfloat16 ? 16 : 64 }

    /// x (..., in) · Wᵀ + b for each weight (out, in), with one start of the threads; nil where the kernel
    /// does not apply: for more rows than `mostRows`, for weights of another type or layout, or where
    /// gradients are recorded.
    static func products(
        _ x: Tensor, _ matrices: [(weight: StoredWeight, bias: Tensor?)], mostRows: Int
    ) throws -> [Tensor]? {
        guard x.rank > 0, x.count <= mostRows * x.size(-1), support.takes([x]) else { return nil }
        let tensors = matrices.map { $0.weight.operands.tensor }
        let formats = matrices.map { Int64($0.weight.blockFormat?.number ?? -1) }
        var outs = [OpaquePointer?](repeating: nil, count: matrices.count)
        let status = withExtendedLifetime((x, tensors, matrices)) {
            ct_narrow_products(
                x.handle, tensors.map(\.handle), formats, matrices.map { $0.bias?.handle },
                matrices.count, &outs)
        }
        try check(status, "narrow products")
        let results = outs.compactMap { $0.map(Tensor.init(owning:)) }
        return results.count == matrices.count ? results : nil
    }
}
