/// A matrix (rows, columns) of quantised blocks, which lie along its rows.
public struct BlockMatrix {
    public let format: BlockFormat
    /// The blocks (rows, bytes of a row) of uint8 on the CPU, which may lie in a mapped file.
    public let bytes: Tensor
    public let columns: Int

    public var rows: Int { bytes.size(0) }
    public var shape: [Int] { [rows, columns] }

    /// - Parameter bytes: (rows, bytes of a row) of uint8 on the CPU.
    /// - Throws: ``TorchError`` for bytes that are not rows of so many numbers.
    public init(_ bytes: Tensor, format: BlockFormat, columns: Int) throws {
        guard bytes.dtype == .uint8, bytes.device.kind == .cpu, bytes.rank == 2,
            format.divides(columns), bytes.size(1) == format.rowByteCount(columns)
        else {
            throw TorchError(
                operation: "BlockMatrix",
                message: "\(bytes) are not rows of \(columns) numbers in \(format.rawValue)")
        }
        self.format = format
        self.bytes = bytes
        self.columns = columns
    }

    /// Numbers quantised to one of ``BlockFormat/written``, as `gguf.quants` and bitsandbytes do it.
    /// - Parameter numbers: (rows, columns), of any type and layout.
    /// - Throws: ``TorchError``, also for columns that are no whole blocks.
    public init(quantizing numbers: Tensor, to format: BlockFormat) throws {
        let (rows, columns) = (numbers.size(0), numbers.size(1))
        // A copy in float32 is never there of the whole.
        let pieces = try withoutGradient {
            try stride(from: 0, to: rows, by: Self.rowsAtOnce(columns)).map { start in
                let some = try numbers.slice(start..<min(start + Self.rowsAtOnce(columns), rows))
                return try QuantizationKernel.quantize(
                    some.detached().to(device: .cpu).to(.float32).contiguous(), to: format)
            }
        }
        let bytes = pieces.count == 1 ? pieces[0] : try Tensor.joined(pieces, along: 0)
        try self.init(bytes, format: format, columns: columns)
    }

    private static func rowsAtOnce(_ columns: Int) -> Int { max(1, (4 << 20) / max(1, columns)) }

    /// Some of the rows, over the same memory.
    public func slice(_ rows: Range<Int>) throws -> BlockMatrix {
        try BlockMatrix(bytes.slice(rows), format: format, columns: columns)
    }

    /// Rows by their numbers, an int64 vector.
    public func gathered(rows: Tensor) throws -> BlockMatrix {
        try BlockMatrix(bytes.gathered(rows: rows), format: format, columns: columns)
    }

    /// The numbers (rows, columns).
    public func dequantized(as dtype: DType = .float32) throws -> Tensor {
        let isRead = DequantizationKernel.support.takesType(dtype)
        let numbers = try Tensor.empty(shape, dtype: isRead ? dtype : .float32)
        try dequantize(into: numbers)
        return try numbers.to(dtype)
    }

    /// Puts the numbers into `numbers` (rows, columns) of float32 or bfloat16, with contiguous rows.
    func dequantize(into numbers: Tensor) throws {
        try DequantizationKernel.dequantize(bytes, format, into: numbers)
    }
}
