/// Cuts bytes that come in pieces of any size into blocks of 64, as SHA-1 and SHA-256 take them.
struct BlockBuffer {
    private static let blockSize = 64

    private var leftover: [UInt8] = []
    private var count: UInt64 = 0

    /// Calls `compress` with whole blocks; what is left over waits.
    mutating func take(
        _ bytes: UnsafeRawBufferPointer, _ compress: (UnsafeRawBufferPointer) -> Void
    ) {
        count += UInt64(bytes.count)
        var bytes = bytes[...]
        if !leftover.isEmpty {
            let needed = min(Self.blockSize - leftover.count, bytes.count)
            leftover += bytes.prefix(needed)
            bytes = bytes.dropFirst(needed)
            guard leftover.count == Self.blockSize else { return }
            leftover.withUnsafeBytes { compress($0) }
            leftover.removeAll(keepingCapacity: true)
        }
        let whole = bytes.count - bytes.count % Self.blockSize
        compress(UnsafeRawBufferPointer(rebasing: bytes.prefix(whole)))
        leftover += bytes.dropFirst(whole)
    }

    /// Ends the message: a one, zeros, and its length in bits.
    mutating func pad(_ compress: (UnsafeRawBufferPointer) -> Void) {
        let bits = count &* 8
        var ending: [UInt8] = [0x80]
        let used = (leftover.count + 1 + 8) % Self.blockSize
        ending += [UInt8](repeating: 0, count: (Self.blockSize - used) % Self.blockSize)
        ending += (0..<8).map { UInt8(truncatingIfNeeded: bits >> (56 - 8 * $0)) }
        ending.withUnsafeBytes { take($0, compress) }
    }
}
