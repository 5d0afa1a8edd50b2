import DualTorch

// What the operators of CTorch take.

extension DType {
    /// Whether there are kernels for products of this type.
    var hasKernels: Bool { self == .float32 || self == .bfloat16 }
}

extension Tensor {
    /// Whether it can be a factor, which trains.
    var isKernelFactor: Bool { dtype == .float32 && device.kind == .cpu && isContiguous }

    /// Whether the elements of a matrix's row lie side by side.
    var hasPlainRows: Bool { size(1) < 2 || strides[1] == 1 }
}
