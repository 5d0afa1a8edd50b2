import CTorch

/// Calls any operator of LibTorch by its full name, for example "aten::add.Tensor".
///
/// Arguments come by position, then by the names of the operator's schema; those that are not given
/// take the schema's defaults. Tuples come back flattened.
/// - Throws: ``TorchError`` with the operator's name and LibTorch's message.
public func callOperator(
    _ name: String, _ positional: [OperatorValue],
    _ named: KeyValuePairs<String, OperatorValue> = [:]
) throws -> [OperatorValue] {
    var arguments = ArgumentList(capacity: positional.count + named.count)
    defer { arguments.free() }
    for value in positional { arguments.append(value, name: nil) }
    for (label, value) in named { arguments.append(value, name: label) }
    let capacity = 16
    return try withUnsafeTemporaryAllocation(of: ct_value.self, capacity: capacity) { results in
        var count = 0
        // The values hold the tensors that the list points to.
        let status = withExtendedLifetime((positional, named)) {
            ct_call(
                name, arguments.values, arguments.values.count, results.baseAddress, capacity,
                &count)
        }
        try check(status, name)
        return results.prefix(count).map(OperatorValue.init(taking:))
    }
}

/// Calls an operator whose first result is a tensor.
func call(
    _ name: String, _ positional: [OperatorValue],
    _ named: KeyValuePairs<String, OperatorValue> = [:]
) throws -> Tensor {
    guard case .tensor(let tensor)? = try callOperator(name, positional, named).first else {
        throw Tensor.missingResult(of: name)
    }
    return tensor
}

/// The full names of a library's operators ("aten", "duallora") that have a kernel of their own for a kind
/// of device; of all its operators for nil.
package func registeredOperators(
    of library: String, on kind: Device.Kind? = nil
) throws -> Set<String> {
    var names: Set<String> = []
    let status = withUnsafeMutablePointer(to: &names) { names in
        ct_visit_operators(library, kind?.deviceType ?? -1, names) { context, name in
            guard let context, let name else { return }
            context.assumingMemoryBound(to: Set<String>.self).pointee.insert(String(cString: name))
        }
    }
    try check(status, "operators of \(library)")
    return names
}

extension OperatorValue {
    /// Takes over what a result owns.
    fileprivate init(taking value: ct_value) {
        switch ct_kind(UInt32(bitPattern: value.kind)) {
        case CT_TENSOR:
            self = value.data.map { .tensor(Tensor(owning: OpaquePointer($0))) } ?? .none
        case CT_INT: self = .int(Int(value.integer))
        case CT_DOUBLE: self = .double(value.real)
        case CT_BOOL: self = .bool(value.integer != 0)
        case CT_TENSORS:
            let list = value.data?.assumingMemoryBound(to: OpaquePointer?.self)
            let handles = UnsafeBufferPointer(start: list, count: value.count)
            self = .tensors(handles.map { $0.map(Tensor.init(owning:)) })
            ct_free_list(value.data)
        default: self = .none
        }
    }
}

/// Arguments in the bridge's form, with the memory they point to.
private struct ArgumentList {
    var values: [ct_value] = []
    private var memory: [UnsafeMutableRawPointer] = []

    init(capacity: Int) { values.reserveCapacity(capacity) }

    func free() {
        for block in memory { block.deallocate() }
    }

    mutating func append(_ value: OperatorValue, name: String?) {
        var out = ct_value()
        if let name {
            out.name = UnsafePointer(
                keep(Array(name.utf8CString)).assumingMemoryBound(to: CChar.self))
        }
        fill(&out, with: value)
        values.append(out)
    }

    private mutating func fill(_ out: inout ct_value, with value: OperatorValue) {
        switch value {
        case .none: out.set(CT_NONE)
        case .tensor(let tensor): out.set(CT_TENSOR, data: UnsafeRawPointer(tensor.handle))
        case .int(let number): out.set(CT_INT, integer: Int64(number))
        case .double(let number):
            out.set(CT_DOUBLE)
            out.real = number
        case .bool(let flag): out.set(CT_BOOL, integer: flag ? 1 : 0)
        case .string(let text): fill(&out, CT_STRING, Array(text.utf8))
        case .ints(let numbers): fill(&out, CT_INTS, numbers.map(Int64.init))
        case .doubles(let numbers): fill(&out, CT_DOUBLES, numbers)
        case .bools(let flags): fill(&out, CT_BOOLS, flags.map { $0 ? UInt8(1) : 0 })
        case .tensors(let tensors): fill(&out, CT_TENSORS, tensors.map { $0?.handle })
        case .dtype(let dtype): out.set(CT_DTYPE, integer: Int64(dtype.scalarType))
        case .device(let device):
            out.set(CT_DEVICE, integer: Int64(device.kind.deviceType))
            out.device_index = device.index
        case .generator(let generator):
            out.set(CT_GENERATOR, data: UnsafeRawPointer(generator.handle))
        }
    }

    private mutating func fill<Element>(
        _ out: inout ct_value, _ kind: ct_kind, _ elements: [Element]
    ) {
        out.set(kind, data: UnsafeRawPointer(keep(elements)))
        out.count = elements.count
    }

    private mutating func keep<Element>(_ elements: [Element]) -> UnsafeMutableRawPointer {
        let stride = MemoryLayout<Element>.stride
        let block = UnsafeMutableRawPointer.allocate(
            byteCount: max(1, elements.count * stride), alignment: 16)
        elements.withUnsafeBytes { bytes in
            if let base = bytes.baseAddress { block.copyMemory(from: base, byteCount: bytes.count) }
        }
        memory.append(block)
        return block
    }
}

extension ct_value {
    fileprivate mutating func set(
        _ kind: ct_kind, data: UnsafeRawPointer? = nil, integer: Int64 = 0
    ) {
        self.kind = Int32(bitPattern: kind.rawValue)
        self.data = data
        self.integer = integer
    }
}
