import CTorch

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
        _ weight: Tensor, bias: Tensor? = nil, mostRows: Int? = nil
    ) throws -> Tensor? {
        try narrowProducts([(weight, bias)], mostRows: mostRows)?.first
    }

    /// The products with several weights, for which the threads are started once.
    public func narrowProducts(
        _ matrices: [(weight: Tensor, bias: Tensor?)], mostRows: Int? = nil
    ) throws -> [Tensor]? {
        let mostRows = mostRows ?? Self.mostNarrowRows(dtype)
        var outs = [OpaquePointer?](repeating: nil, count: matrices.count)
        let status = withExtendedLifetime((self, matrices)) {
            ct_narrow_products(
                handle, matrices.map { $0.weight.handle }, matrices.map { $0.bias?.handle },
                matrices.count, Int64(mostRows), &outs)
        }
        try check(status, "narrow products")
        let results = outs.compactMap { $0.map(Tensor.init(owning:)) }
        return results.count == matrices.count ? results : nil
    }
}
