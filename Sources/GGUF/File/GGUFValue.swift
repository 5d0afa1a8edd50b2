import DualTorch

/// A value of the metadata.
public enum GGUFValue {
    case unsigned(UInt64)
    case signed(Int64)
    case number(Double)
    case flag(Bool)
    case text(String)
    case array(GGUFArray)

    /// What kind of value it is, for messages.
    var kind: String {
        switch self {
        case .unsigned, .signed: "a whole number"
        case .number: "a number"
        case .flag: "a truth value"
        case .text: "a text"
        case .array(let array): "a list of \(array.count)"
        }
    }
}

/// The types of metadata (`gguf_type`).
enum GGUFValueType: UInt32 {
    case uint8, int8, uint16, int16, uint32, int32, float32, flag, text, array
    case uint64, int64, float64

    /// The bytes of a value; nil for those that say themselves how long they are.
    var width: Int? {
        switch self {
        case .uint8, .int8, .flag: 1
        case .uint16, .int16: 2
        case .uint32, .int32, .float32: 4
        case .uint64, .int64, .float64: 8
        case .text, .array: nil
        }
    }

    /// The fewest bytes of a value.
    var leastWidth: Int { width ?? (self == .text ? 8 : 12) }
}

/// A list of the metadata, which stays in the file until it is asked for: a vocabulary is long.
public struct GGUFArray {
    public let count: Int
    let type: GGUFValueType
    /// Where the elements begin.
    private let start: Int
    private let file: MappedFile

    init(_ count: Int, of type: GGUFValueType, at start: Int, in file: MappedFile) {
        (self.count, self.type, self.start, self.file) = (count, type, start, file)
    }

    /// The elements.
    func values() throws(GGUFCursor.Fault) -> [GGUFValue] {
        var cursor = GGUFCursor(file.bytes, at: start)
        var values: [GGUFValue] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(try cursor.readValue(type, in: file)) }
        return values
    }

    /// The elements of a list of texts; nil for another list.
    func texts() throws(GGUFCursor.Fault) -> [String]? {
        guard type == .text else { return nil }
        var cursor = GGUFCursor(file.bytes, at: start)
        var texts: [String] = []
        texts.reserveCapacity(count)
        for _ in 0..<count { texts.append(try cursor.readText()) }
        return texts
    }
}

extension GGUFCursor {
    /// How deep lists may stand in lists.
    private static let deepest = 8

    mutating func readValueType() throws(Fault) -> GGUFValueType {
        let number = try read(UInt32.self)
        guard let type = GGUFValueType(rawValue: number) else {
            throw Fault(reason: "has a value of the unknown type \(number)")
        }
        return type
    }

    /// Reads a value; a list is gone through to its end, so that it can be read later without a fault
    /// but for texts that are not UTF-8.
    mutating func readValue(
        _ type: GGUFValueType, in file: MappedFile, depth: Int = 0
    ) throws(Fault) -> GGUFValue {
        switch type {
        case .uint8: return .unsigned(UInt64(try read(UInt8.self)))
        case .uint16: return .unsigned(UInt64(try read(UInt16.self)))
        case .uint32: return .unsigned(UInt64(try read(UInt32.self)))
        case .uint64: return .unsigned(try read(UInt64.self))
        case .int8: return .signed(Int64(try read(Int8.self)))
        case .int16: return .signed(Int64(try read(Int16.self)))
        case .int32: return .signed(Int64(try read(Int32.self)))
        case .int64: return .signed(try read(Int64.self))
        case .float32: return .number(Double(Float(bitPattern: try read())))
        case .float64: return .number(Double(bitPattern: try read()))
        case .flag: return .flag(try read(UInt8.self) != 0)
        case .text: return .text(try readText())
        case .array: return .array(try readArray(in: file, depth: depth + 1))
        }
    }

    private mutating func readArray(
        in file: MappedFile, depth: Int
    ) throws(Fault) -> GGUFArray {
        guard depth <= Self.deepest else {
            throw Fault(reason: "has lists in lists, more than \(Self.deepest) deep")
        }
        let type = try readValueType()
        let count = try readCount(ofAtLeast: type.leastWidth, "elements")
        let start = position
        if let width = type.width {
            try skip(count * width)
        } else {
            for _ in 0..<count {
                if type == .text {
                    try skipText()
                } else {
                    _ = try readArray(in: file, depth: depth + 1)
                }
            }
        }
        return GGUFArray(count, of: type, at: start, in: file)
    }
}
