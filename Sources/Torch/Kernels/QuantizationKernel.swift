/// Quantised blocks made of numbers (CTorch's `block_formats.cpp`).
package enum QuantizationKernel: String, FusedKernel {
    case quantize = "duallora::quantize"

    package static let support = KernelSupport(
        KernelSupport.Row(device: .cpu, dtypes: [.float32], needsContiguousValues: true))

    /// - Parameter numbers: (rows, columns), the columns in whole blocks.
    /// - Returns: (rows, bytes of a row).
    static func quantize(_ numbers: Tensor, to format: BlockFormat) throws -> Tensor {
        try quantize.result([.tensor(numbers), .int(format.number)])
    }
}

/// Numbers of quantised blocks (CTorch's `block_formats.cpp`), bit for bit those of `gguf.quants` in float32.
package enum DequantizationKernel: String, FusedKernel {
    case dequantize = "duallora::dequantize"

    package static let support = KernelSupport(.cpuContiguous)

    /// Puts the numbers of `blocks` (rows, bytes of a row) into `numbers` (rows, columns), whose rows are
    /// contiguous.
    static func dequantize(
        _ blocks: Tensor, _ format: BlockFormat, into numbers: Tensor
    ) throws {
        try dequantize([.tensor(numbers), .tensor(blocks), .int(format.number)])
    }
}
