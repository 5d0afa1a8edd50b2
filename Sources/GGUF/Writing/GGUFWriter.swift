import DualTorch
import Foundation

/// Writes a GGUF file of version 3: metadata, then tensors, each aligned.
public struct GGUFWriter {
    /// A value of the metadata.
    public enum Value: Equatable, Sendable {
        case text(String)
        case count(UInt32)
        case number(Float)
        case flag(Bool)
        case texts([String])
        case integers([Int32])
        case numbers([Float])
        /// A type and a value, as another file has them.
        case raw([UInt8])
    }

    /// What a file says of a tensor before its bytes.
    public struct Entry: Equatable, Sendable {
        public let name: String
        public let type: GGUFType
        /// Sizes, outermost first.
        public let shape: [Int]

        public init(name: String, type: GGUFType, shape: [Int]) {
            (self.name, self.type, self.shape) = (name, type, shape)
        }

        /// Bytes of its numbers or blocks.
        public var byteCount: Int {
            shape.reduce(1, *) / type.blockSize * type.blockBytes
        }

        /// The shape of the tensor that is written: of numbers, or of the bytes of rows.
        var storedShape: [Int] {
            guard type.dtype == nil, let columns = shape.last else { return shape }
            return shape.dropLast() + [columns / type.blockSize * type.blockBytes]
        }
    }

    private var keys: [(key: String, value: Value)] = []

    private static let alignment = 32

    public init() {}

    /// Sets a key; one that was set already keeps its place.
    public mutating func set(_ key: String, _ value: Value) {
        if let place = keys.firstIndex(where: { $0.key == key }) {
            keys[place].value = value
        } else {
            keys.append((key, value))
        }
    }

    /// The value that was set for a key.
    public subscript(key: String) -> Value? { keys.first { $0.key == key }?.value }

    /// Writes aside, syncs and renames, so that the file is there whole or not at all.
    /// - Parameter tensor: makes the tensor of an entry, of numbers or of the bytes of its rows' blocks;
    ///   called once for each, in their order, so that no two need be in memory at once.
    /// - Throws: ``SafetensorsError/unwritable(file:reason:)``, ``GGUFError``; also what `tensor` throws.
    public func write(
        _ entries: [Entry], to url: URL, tensor: (Entry) throws -> Tensor
    ) throws {
        for entry in entries where (entry.shape.last ?? 1) % entry.type.blockSize != 0 {
            throw GGUFError.badTensor(
                entry.name, file: url.path,
                reason: "of shape \(entry.shape) has rows that blocks of \(entry.type.blockSize) "
                    + "numbers (\(entry.type.name)) do not fill")
        }
        let file = try AtomicFile(url)
        try file.write(Self.padded(header(entries)))
        for entry in entries {
            let tensor = try tensor(entry)
            guard tensor.dtype == entry.type.dtype ?? .uint8, tensor.shape == entry.storedShape
            else {
                throw GGUFError.badTensor(
                    entry.name, file: url.path, reason: "was not made as its entry says")
            }
            try tensor.detached().to(device: .cpu).contiguous().withBytes { try file.write($0) }
            let gap = Self.gap(behind: entry.byteCount)
            if gap > 0 { try file.write(Data(count: gap)) }
        }
        try file.commit()
    }

    private func header(_ entries: [Entry]) -> Data {
        var bytes = Bytes()
        bytes.data += GGUFHeader.magic
        bytes.append(UInt32(3))
        bytes.append(UInt64(entries.count))
        bytes.append(UInt64(keys.count))
        for (key, value) in keys {
            bytes.append(key)
            bytes.append(value)
        }
        var offset = 0
        for entry in entries {
            bytes.append(entry.name)
            bytes.append(UInt32(entry.shape.count))
            for size in entry.shape.reversed() { bytes.append(UInt64(size)) }
            bytes.append(entry.type.rawValue)
            bytes.append(UInt64(offset))
            offset += entry.byteCount + Self.gap(behind: entry.byteCount)
        }
        return bytes.data
    }

    private static func gap(behind count: Int) -> Int {
        (alignment - count % alignment) % alignment
    }

    private static func padded(_ data: Data) -> Data {
        data + Data(count: gap(behind: data.count))
    }
}

/// Numbers and texts as the format has them.
private struct Bytes {
    var data = Data()

    mutating func append<Number: FixedWidthInteger>(_ number: Number) {
        withUnsafeBytes(of: number.littleEndian) { data.append(contentsOf: $0) }
    }

    mutating func append(_ text: String) {
        append(UInt64(text.utf8.count))
        data.append(contentsOf: text.utf8)
    }

    mutating func append(_ value: GGUFWriter.Value) {
        switch value {
        case .text(let text):
            append(GGUFValueType.text.rawValue)
            append(text)
        case .count(let count):
            append(GGUFValueType.uint32.rawValue)
            append(count)
        case .number(let number):
            append(GGUFValueType.float32.rawValue)
            append(number.bitPattern)
        case .flag(let flag):
            append(GGUFValueType.flag.rawValue)
            append(UInt8(flag ? 1 : 0))
        case .texts(let texts):
            appendList(of: .text, texts) { $0.append($1) }
        case .integers(let integers):
            appendList(of: .int32, integers) { $0.append($1) }
        case .numbers(let numbers):
            appendList(of: .float32, numbers) { $0.append($1.bitPattern) }
        case .raw(let bytes): data.append(contentsOf: bytes)
        }
    }

    private mutating func appendList<Element>(
        of type: GGUFValueType, _ elements: [Element],
        _ append: (inout Bytes, Element) -> Void
    ) {
        self.append(GGUFValueType.array.rawValue)
        self.append(type.rawValue)
        self.append(UInt64(elements.count))
        for element in elements { append(&self, element) }
    }
}
