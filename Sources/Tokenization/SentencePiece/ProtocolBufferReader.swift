/// Reads the fields of one message of the Protocol Buffers wire format, one after the other.
///
/// Every length and every number is checked against the bytes that are there; what a field's number
/// means is the caller's to know.
struct ProtocolBufferReader {
    enum Value: Equatable {
        case varint(UInt64)
        case fixed64(UInt64)
        case fixed32(UInt32)
        case bytes(Range<Int>)
    }

    struct Field: Equatable {
        let number: Int
        let value: Value
        /// Where the field starts in the file.
        let start: Int
    }

    let bytes: [UInt8]
    let file: String
    private var position: Int
    private let end: Int

    init(_ bytes: [UInt8], file: String) {
        self.init(bytes, range: bytes.indices, file: file)
    }

    /// Reads a message that is nested in another; `range` is from a field of that one.
    init(_ bytes: [UInt8], range: Range<Int>, file: String) {
        self.bytes = bytes
        self.file = file
        position = range.lowerBound
        end = range.upperBound
    }

    /// The next field, or nil at the end of the message.
    mutating func next() throws(TokenizerError) -> Field? {
        guard position < end else { return nil }
        let start = position
        let tag = try readVarint()
        let number = tag >> 3
        guard (1..<1 << 29).contains(number) else {
            throw damage(start, "\(number) is no field number")
        }
        return Field(number: Int(number), value: try readValue(wireType: tag & 7), start: start)
    }

    func damage(_ byte: Int, _ reason: String) -> TokenizerError {
        .damagedFile(file: file, byte: byte, reason: reason)
    }

    private mutating func readValue(wireType: UInt64) throws(TokenizerError) -> Value {
        switch wireType {
        case 0: return .varint(try readVarint())
        case 1: return .fixed64(try readFixed(size: 8))
        case 2:
            let start = position
            let length = try readVarint()
            guard length <= UInt64(end - position) else {
                throw damage(
                    start, "a field of \(length) bytes does not fit into the \(end - position) left"
                )
            }
            defer { position += Int(length) }
            return .bytes(position..<position + Int(length))
        case 5: return .fixed32(UInt32(truncatingIfNeeded: try readFixed(size: 4)))
        default: throw damage(position - 1, "\(wireType) is no wire type in use")
        }
    }

    /// A number in groups of seven bits, the lowest first.
    private mutating func readVarint() throws(TokenizerError) -> UInt64 {
        let start = position
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard position < end else { throw damage(start, "the message ends within a number") }
            let byte = UInt64(bytes[position])
            position += 1
            if shift == 63, byte > 1 { break }
            value |= (byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw damage(start, "a number has more than 64 bits")
    }

    /// A little-endian number.
    private mutating func readFixed(size: Int) throws(TokenizerError) -> UInt64 {
        guard end - position >= size else {
            throw damage(position, "the message ends within a number")
        }
        defer { position += size }
        return bytes[position..<position + size].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}

extension ProtocolBufferReader {
    func text(_ field: Field) throws(TokenizerError) -> String {
        let range = try range(field)
        guard let text = String(validating: bytes[range], as: UTF8.self) else {
            throw damage(range.lowerBound, "a text is not valid UTF-8")
        }
        return text
    }

    func range(_ field: Field) throws(TokenizerError) -> Range<Int> {
        guard case .bytes(let range) = field.value else { throw mismatch(field, "bytes") }
        return range
    }

    func flag(_ field: Field) throws(TokenizerError) -> Bool {
        guard case .varint(let value) = field.value else { throw mismatch(field, "a flag") }
        return value != 0
    }

    /// An `int32` or an enumeration; a negative number is spelled in 64 bits.
    func integer(_ field: Field) throws(TokenizerError) -> Int {
        guard case .varint(let value) = field.value else { throw mismatch(field, "an integer") }
        return Int(Int32(truncatingIfNeeded: value))
    }

    func float(_ field: Field) throws(TokenizerError) -> Float {
        guard case .fixed32(let value) = field.value else { throw mismatch(field, "a float") }
        return Float(bitPattern: value)
    }

    private func mismatch(_ field: Field, _ wanted: String) -> TokenizerError {
        damage(field.start, "field \(field.number) is not \(wanted)")
    }
}
