import Foundation

/// A digest in 64 bits of what a run reads, to tell one input from another that a user may give by
/// mistake; it is no protection against who means to deceive.
public struct Fingerprint: Sendable {
    private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

    public init() {}

    public mutating func add(_ word: UInt64) {
        // An odd factor loses nothing, and the shift brings the high bits down to the low ones.
        state = (state ^ word) &* 0xBF58_476D_1CE4_E5B9
        state ^= state >> 29
    }

    public mutating func add(_ number: Int) { add(UInt64(bitPattern: Int64(number))) }

    public mutating func add(_ bytes: UnsafeRawBufferPointer) {
        add(bytes.count)
        let words = bytes.count / 8
        for word in 0..<words {
            add(
                UInt64(
                    littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * word, as: UInt64.self)))
        }
        for byte in bytes[(8 * words)...] { add(UInt64(byte)) }
    }

    public mutating func add(_ text: String) {
        var text = text
        text.withUTF8 { add(UnsafeRawBufferPointer($0)) }
    }

    public mutating func add(_ data: Data) { data.withUnsafeBytes { add($0) } }

    /// The digest in hexadecimal digits.
    public var text: String { String(state, radix: 16) }
}
