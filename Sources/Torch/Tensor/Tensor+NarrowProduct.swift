import CTorch

/// The instruction sets that the product of few rows is compiled for.
public enum NarrowProductVariant: String, CaseIterable, Sendable {
    case best, portable, avx2, avx512, avx512BFloat16

    fileprivate var number: ct_narrow_variant {
        switch self {
        case .best: CT_NARROW_BEST
        case .portable: CT_NARROW_PORTABLE
        case .avx2: CT_NARROW_AVX2
        case .avx512: CT_NARROW_AVX512
        case .avx512BFloat16: CT_NARROW_AVX512_BF16
        }
    }
}

extension Tensor {
    /// The most rows for which the kernel was measured to be faster than LibTorch's products.
    public static func mostNarrowRows(_ dtype: DType) -> Int { dtype == .bfloat16 ? 16 : 64 }

    /// As ``linear(_:bias:)``, by whichever kernel is the faster for so many rows. A layer and its
    /// adapter both use it, so that an update of zero changes no bit.
    public func projected(by weight: Tensor, bias: Tensor? = nil) throws -> Tensor {
        try narrowProduct(weight, bias: bias) ?? linear(weight, bias: bias)
    }

    /// As ``linear(_:bias:)``, by a kernel that reads the weight at the speed of the memory; nil where
    /// it does not apply, as with many rows, where gradients are recorded, or off the CPU.
    public func narrowProduct(
        _ weight: Tensor, bias: Tensor? = nil, mostRows: Int? = nil,
        variant: NarrowProductVariant = .best
    ) throws -> Tensor? {
        try narrowProducts([(weight, bias)], mostRows: mostRows, variant: variant)?.first
    }

    /// The products with several weights, for which the threads are started once.
    public func narrowProducts(
        _ matrices: [(weight: Tensor, bias: Tensor?)], mostRows: Int? = nil,
        variant: NarrowProductVariant = .best
    ) throws -> [Tensor]? {
        let mostRows = mostRows ?? Self.mostNarrowRows(dtype)
        var outs = [OpaquePointer?](repeating: nil, count: matrices.count)
        let status = withExtendedLifetime((self, matrices)) {
            ct_narrow_products(
                handle, matrices.map { $0.weight.handle }, matrices.map { $0.bias?.handle },
                matrices.count, Int64(mostRows), variant.number, &outs)
        }
        try check(status, "narrow products")
        let results = outs.compactMap { $0.map(Tensor.init(owning:)) }
        return results.count == matrices.count ? results : nil
    }
}
