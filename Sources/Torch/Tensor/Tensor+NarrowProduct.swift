extension Tensor {
    /// As ``linear(_:bias:)``, by whichever kernel is the faster for so many rows. A layer and its
    /// adapter both use it, so that an update of zero changes no bit.
    public func projected(by weight: Tensor, bias: Tensor? = nil) throws -> Tensor {
        try narrowProduct(weight, bias: bias) ?? linear(weight, bias: bias)
    }

    /// As ``linear(_:bias:)``, by a kernel that reads the weight at the speed of the memory; nil where
    /// it does not apply, as with many rows, where gradients are recorded, or off the CPU.
    package func narrowProduct(
        _ weight: Tensor, bias: Tensor? = nil, mostRows: Int? = nil
    ) throws -> Tensor? {
        guard weight.dtype == dtype else { return nil }
        return try narrowProducts([(.plain(weight), bias)], mostRows: mostRows)?.first
    }

    /// The products with several weights, for which the threads are started once.
    package func narrowProducts(
        _ matrices: [(weight: StoredWeight, bias: Tensor?)], mostRows: Int? = nil
    ) throws -> [Tensor]? {
        try NarrowProductKernel.products(
            self, matrices, mostRows: mostRows ?? NarrowProductKernel.mostRows(dtype))
    }
}
