import CTorch

/// Products with matrices of float32 by oneDNN, where it is faster than MKL, which LibTorch asks for them.
///
/// MKL is made for Intel's processors. On others oneDNN, which LibTorch has too, takes 0.5 to 0.9 of its time
/// with AVX-512. With AVX2 that holds of x Wᵀ alone (0.6 to 1.0), for it copies a matrix whose rows run the
/// other way.
enum OneDNNProduct {
    private static let name = "mkldnn::_linear_pointwise"
    /// Whether LibTorch has it.
    static let isThere =
        (try? registeredOperators(of: "mkldnn", on: .cpu).contains(name)) == true
    private static let isFaster = ct_has_foreign_mkl() && isThere
    private static let isFasterTurned = isFaster && InstructionSet.ofMachine >= .avx512
    /// Below so many multiplications, what surrounds a product counts for more.
    private static let fewestMultiplyAdds = 1 << 22

    /// Whether it is the faster for x Wᵀ of an input (..., in) and a weight (out, in), whether or not a graph is
    /// recorded.
    static func applies(_ x: Tensor, _ weight: Tensor) -> Bool {
        guard isFaster, x.dtype == .float32, weight.dtype == .float32, weight.rank == 2, x.rank > 1,
            x.count * weight.size(0) >= fewestMultiplyAdds, x.device.kind == .cpu,
            weight.device.kind == .cpu, x.isContiguous
        else { return false }
        return weight.hasContiguousRows || isFasterTurned
    }

    /// x Wᵀ + b, (..., in) to (..., out); nil where LibTorch's own choice is as good, and where a graph is
    /// recorded, of which oneDNN's operator knows nothing.
    static func linear(_ x: Tensor, _ weight: Tensor, bias: Tensor?) throws -> Tensor? {
        guard applies(x, weight), !recordsGradients(x, weight, bias) else { return nil }
        return try computed(x, weight, bias: bias)
    }

    /// The same on any processor whose LibTorch has oneDNN.
    static func computed(_ x: Tensor, _ weight: Tensor, bias: Tensor?) throws -> Tensor {
        try call(
            name,
            [.tensor(x), .tensor(weight), .optional(bias), .string("none"), .doubles([]), .none])
    }

    /// x W of an input (..., in) and a matrix (in, out), likewise.
    static func product(_ x: Tensor, _ matrix: Tensor) throws -> Tensor? {
        guard isFaster, matrix.rank == 2, x.dtype == .float32 else { return nil }
        return try linear(x, matrix.transposed(), bias: nil)
    }
}
