import Foundation

/// The bytes of a GGUF file, which need not be right.
struct GGUFBytes {
    var magic = Array("GGUF".utf8)
    var version: UInt32 = 3
    var alignment = 32
    var tensorCount: UInt64?
    var keyCount: UInt64?
    private var keys: [[UInt8]] = []
    private var tensors: [(head: [UInt8], data: [UInt8], offset: UInt64?)] = []

    static func number<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }

    static func text(_ text: String) -> [UInt8] {
        number(UInt64(text.utf8.count)) + Array(text.utf8)
    }

    /// A key with a value of a type as its bytes have it.
    mutating func set(_ key: String, type: UInt32, _ value: [UInt8]) {
        keys.append(Self.text(key) + Self.number(type) + value)
    }

    mutating func set(_ key: String, _ text: String) { set(key, type: 8, Self.text(text)) }
    mutating func set(_ key: String, _ value: Int) { set(key, type: 4, Self.number(UInt32(value))) }
    mutating func set(_ key: String, _ value: Float) {
        set(key, type: 6, Self.number(value.bitPattern))
    }
    mutating func set(_ key: String, _ value: Bool) { set(key, type: 7, [value ? 1 : 0]) }
    mutating func set(_ key: String, _ texts: [String]) {
        let elements = texts.flatMap(Self.text)
        set(key, type: 9, Self.number(UInt32(8)) + Self.number(UInt64(texts.count)) + elements)
    }
    mutating func set(_ key: String, _ numbers: [Int32]) {
        let elements = numbers.flatMap { Self.number($0) }
        set(key, type: 9, Self.number(UInt32(5)) + Self.number(UInt64(numbers.count)) + elements)
    }
    mutating func set(_ key: String, _ numbers: [Float]) {
        let elements = numbers.flatMap { Self.number($0.bitPattern) }
        set(key, type: 9, Self.number(UInt32(6)) + Self.number(UInt64(numbers.count)) + elements)
    }

    /// - Parameters:
    ///   - sizes: innermost first, as in the file.
    ///   - offset: nil for behind the tensor before it.
    mutating func add(
        _ name: String, type: UInt32, sizes: [UInt64], _ data: [UInt8], offset: UInt64? = nil
    ) {
        let head =
            Self.text(name) + Self.number(UInt32(sizes.count)) + sizes.flatMap { Self.number($0) }
            + Self.number(type)
        tensors.append((head, data, offset))
    }

    /// A tensor of float32, outermost size first.
    mutating func add(_ name: String, _ shape: [Int], _ values: [Float]) {
        add(
            name, type: 0, sizes: shape.reversed().map(UInt64.init),
            values.flatMap { Self.number($0.bitPattern) })
    }

    /// A tensor of zeros of float32.
    mutating func add(_ name: String, _ shape: [Int]) {
        add(name, shape, [Float](repeating: 0, count: shape.reduce(1, *)))
    }

    var header: [UInt8] {
        var bytes = magic + Self.number(version)
        bytes += Self.number(tensorCount ?? UInt64(tensors.count))
        bytes += Self.number(keyCount ?? UInt64(keys.count))
        bytes += keys.joined()
        var offset = 0
        for tensor in tensors {
            bytes += tensor.head + Self.number(tensor.offset ?? UInt64(offset))
            offset += padded(tensor.data).count
        }
        return bytes
    }

    var all: [UInt8] { padded(header) + tensors.flatMap { padded($0.data) } }

    private func padded(_ bytes: [UInt8]) -> [UInt8] {
        bytes + [UInt8](repeating: 0, count: (alignment - bytes.count % alignment) % alignment)
    }

    func write(to url: URL) throws { try Data(all).write(to: url) }
}
