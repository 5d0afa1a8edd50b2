/// The UTF-8 bytes of one scalar.
struct UTF8Bytes: Sequence, IteratorProtocol {
    private var remaining: UInt32
    private var count: Int

    @inline(__always)
    init(_ scalar: Unicode.Scalar) {
        let value = scalar.value
        switch value {
        case ..<0x80: (remaining, count) = (value, 1)
        case ..<0x800: (remaining, count) = (0xC0 | value >> 6 | Self.trail(value) << 8, 2)
        case ..<0x10000:
            remaining = 0xE0 | value >> 12 | Self.trail(value >> 6) << 8 | Self.trail(value) << 16
            count = 3
        default:
            remaining = 0xF0 | value >> 18 | Self.trail(value >> 12) << 8
            remaining |= Self.trail(value >> 6) << 16 | Self.trail(value) << 24
            count = 4
        }
    }

    @inline(__always)
    private static func trail(_ value: UInt32) -> UInt32 { 0x80 | value & 0x3F }

    @inline(__always)
    mutating func next() -> UInt8? {
        guard count > 0 else { return nil }
        defer {
            remaining >>= 8
            count -= 1
        }
        return UInt8(truncatingIfNeeded: remaining)
    }
}
