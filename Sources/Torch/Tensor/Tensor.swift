import CTorch

/// An n-dimensional array of LibTorch (`torch.Tensor`).
///
/// A reference: two variables may name the same memory, as autograd and views need. Not `Sendable`.
/// Every operation throws ``TorchError`` with LibTorch's own message.
public final class Tensor {
    let handle: OpaquePointer

    /// Takes over a handle that the bridge gave away.
    init(owning handle: OpaquePointer) {
        self.handle = handle
    }

    deinit { ct_tensor_free(handle) }

    /// Sizes, outermost first (`Tensor.shape`).
    public var shape: [Int] {
        (0..<ct_tensor_dimensions(handle)).map { Int(ct_tensor_size(handle, $0)) }
    }

    /// Elements to step for one more in each dimension (`Tensor.stride`).
    public var strides: [Int] {
        (0..<ct_tensor_dimensions(handle)).map { Int(ct_tensor_stride(handle, $0)) }
    }

    /// The number of dimensions (`Tensor.dim`).
    public var rank: Int { Int(ct_tensor_dimensions(handle)) }

    /// The number of elements (`Tensor.numel`).
    public var count: Int { Int(ct_tensor_count(handle)) }

    /// The type of the elements (`Tensor.dtype`).
    public var dtype: DType {
        // Types outside DType (complex, quantised) cannot come from what this package calls.
        let type = ct_tensor_dtype(handle)
        return DType.allCases.first { $0.scalarType == type } ?? .float32
    }

    /// Where the elements lie (`Tensor.device`).
    public var device: Device {
        let type = ct_tensor_device_type(handle)
        let kind = Device.Kind.allCases.first { $0.deviceType == type } ?? .cpu
        return Device(kind, index: ct_tensor_device_index(handle))
    }

    /// Whether the elements lie in row-major order without gaps (`Tensor.is_contiguous`).
    public var isContiguous: Bool { ct_tensor_is_contiguous(handle) }

    /// Bytes of the elements.
    public var byteCount: Int { count * dtype.byteCount }

    /// The size of a dimension; a negative one counts from the end (`Tensor.size`).
    public func size(_ dimension: Int) -> Int { Int(ct_tensor_size(handle, checked(dimension))) }

    private func checked(_ dimension: Int) -> Int64 {
        let index = dimension < 0 ? rank + dimension : dimension
        precondition(0..<rank ~= index, "no dimension \(dimension) in \(self)")
        return Int64(index)
    }

    /// Whether neighbours in the last dimension lie side by side.
    package var hasContiguousRows: Bool {
        size(-1) < 2 || ct_tensor_stride(handle, checked(-1)) == 1
    }
}

extension Tensor: CustomStringConvertible {
    public var description: String { "Tensor(\(shape), \(dtype.rawValue), \(device))" }
}

// MARK: - Tensors of Swift values

extension Tensor {
    /// A tensor with a copy of `values`, whose number must be the product of `shape`.
    public convenience init<Scalar: TensorScalar>(_ values: [Scalar], _ shape: [Int]) throws {
        precondition(shape.reduce(1, *) == values.count, "the values do not fill the shape")
        self.init(
            owning: try values.withUnsafeBytes {
                try Tensor.overCopy(of: $0, shape: shape, dtype: Scalar.dtype)
            })
    }

    /// A vector with a copy of `values`.
    public convenience init<Scalar: TensorScalar>(_ values: [Scalar]) throws {
        try self.init(values, [values.count])
    }

    /// A handle over a copy of raw elements, which may lie at any address.
    static func overCopy(
        of bytes: UnsafeRawBufferPointer, shape: [Int], dtype: DType
    ) throws -> OpaquePointer {
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: max(1, bytes.count), alignment: 64)
        if let base = bytes.baseAddress { memory.copyMemory(from: base, byteCount: bytes.count) }
        return try overMemory(
            memory, shape: shape, dtype: dtype, context: memory, release: { $0?.deallocate() })
    }

    /// A handle over memory that `release(context)` frees when the last user is gone.
    static func overMemory(
        _ memory: UnsafeMutableRawPointer, shape: [Int], dtype: DType,
        context: UnsafeMutableRawPointer?,
        release: @escaping @convention(c) (UnsafeMutableRawPointer?) -> Void
    ) throws -> OpaquePointer {
        var handle: OpaquePointer?
        let status = ct_tensor_over_memory(
            memory, shape.map(Int64.init), shape.count, dtype.scalarType, release, context, &handle)
        try check(status, "tensor over memory")
        guard let handle else { throw Tensor.missingResult(of: "tensor over memory") }
        return handle
    }

    /// The elements in row-major order, converted to `Scalar` and copied out.
    public func array<Scalar: TensorScalar>(of type: Scalar.Type = Scalar.self) throws -> [Scalar] {
        let plain = try detached().to(device: .cpu).to(Scalar.dtype).contiguous()
        guard plain.count > 0, let data = ct_tensor_data(plain.handle) else { return [] }
        let typed = data.assumingMemoryBound(to: Scalar.self)
        return Array(UnsafeBufferPointer(start: typed, count: plain.count))
    }

    /// The only element, as a number (`Tensor.item`).
    public func item() throws -> Double {
        let value = try callOperator("aten::item", [.tensor(self)]).first
        switch value {
        case .double(let number): return number
        case .int(let number): return Double(number)
        case .bool(let flag): return flag ? 1 : 0
        default: throw Tensor.missingResult(of: "aten::item")
        }
    }

    /// The elements' memory of a contiguous tensor on the CPU, for as long as `body` runs.
    /// - Throws: what `body` throws, or ``TorchError`` for a tensor without such memory.
    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) throws
        -> Result
    {
        guard isContiguous, device.kind == .cpu else {
            throw TorchError(
                operation: "bytes", message: "\(self) is not contiguous memory of this machine")
        }
        let bytes = UnsafeRawBufferPointer(start: ct_tensor_data(handle), count: byteCount)
        return try withExtendedLifetime(self) { try body(bytes) }
    }

    static func missingResult(of operation: String) -> TorchError {
        TorchError(operation: operation, message: "gave no such result")
    }
}
