/// A compressor for the pictures of this module: LZ77 matches, then Huffman codes per block.
///
/// Reference: RFC 1951 (DEFLATE) and RFC 1950 (its zlib wrapper).
enum Deflate {
    /// The zlib stream of some bytes.
    static func zlib(_ bytes: [UInt8]) -> [UInt8] {
        var writer = BitWriter()
        writer.bytes = [0x78, 0x9C]
        var tokens = Matcher.tokens(of: bytes)[...]
        repeat {
            let block = tokens.prefix(1 << 15)
            tokens = tokens.dropFirst(block.count)
            HuffmanBlock(block).write(to: &writer, isLast: tokens.isEmpty)
        } while !tokens.isEmpty
        writer.alignToByte()
        let checksum = adler32(bytes)
        for shift in [24, 16, 8, 0] as [UInt32] {
            writer.bytes.append(UInt8(truncatingIfNeeded: checksum >> shift))
        }
        return writer.bytes
    }

    static func adler32(_ bytes: [UInt8]) -> UInt32 {
        var (a, b): (UInt32, UInt32) = (1, 0)
        for byte in bytes {
            a = (a + UInt32(byte)) % 65521
            b = (b + a) % 65521
        }
        return b << 16 | a
    }

    /// A literal byte, or a copy of `length` bytes from `distance` back.
    struct Token {
        var length: UInt16 = 0
        /// The distance of a copy, the byte of a literal.
        var value: UInt16
        var isCopy: Bool { length > 0 }
    }
}

/// Bits in the order of RFC 1951: the least significant first.
struct BitWriter {
    var bytes: [UInt8] = []
    private var pending: UInt64 = 0
    private var count = 0

    mutating func write(_ value: Int, bits: Int) {
        pending |= UInt64(value) << UInt64(count)
        count += bits
        while count >= 8 {
            bytes.append(UInt8(truncatingIfNeeded: pending))
            pending >>= 8
            count -= 8
        }
    }

    mutating func alignToByte() {
        if count > 0 { write(0, bits: 8 - count) }
    }
}

/// Finds repeats through chains of positions that share a hash of three bytes.
private struct Matcher {
    private static let window = 1 << 15
    private static let longest = 258
    private static let chainLimit = 48

    private let bytes: UnsafeBufferPointer<UInt8>
    private var newest = [Int32](repeating: -1, count: 1 << 15)
    private var older = [Int32](repeating: -1, count: window)

    static func tokens(of bytes: [UInt8]) -> [Deflate.Token] {
        bytes.withUnsafeBufferPointer { buffer in
            var matcher = Matcher(bytes: buffer)
            return matcher.tokens()
        }
    }

    private init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    /// Greedy, except that a match waits one byte when the next position has a longer one.
    private mutating func tokens() -> [Deflate.Token] {
        var tokens: [Deflate.Token] = []
        var position = 0
        var match = longestMatch(at: 0)
        while position < bytes.count {
            insert(position)
            let next = match.length < 32 ? longestMatch(at: position + 1) : (length: 0, distance: 0)
            guard match.length >= 3, match.length >= next.length else {
                tokens.append(Deflate.Token(value: UInt16(bytes[position])))
                position += 1
                match = match.length < 32 ? next : longestMatch(at: position)
                continue
            }
            tokens.append(
                Deflate.Token(length: UInt16(match.length), value: UInt16(match.distance)))
            for inside in position + 1..<position + match.length { insert(inside) }
            position += match.length
            match = longestMatch(at: position)
        }
        return tokens
    }

    private func hash(_ position: Int) -> Int {
        let key =
            UInt32(bytes[position]) << 16 | UInt32(bytes[position + 1]) << 8
            | UInt32(bytes[position + 2])
        return Int((key &* 2_654_435_761) >> 17)
    }

    private mutating func insert(_ position: Int) {
        guard position + 2 < bytes.count else { return }
        let slot = hash(position)
        older[position % Self.window] = newest[slot]
        newest[slot] = Int32(position)
    }

    private func longestMatch(at position: Int) -> (length: Int, distance: Int) {
        guard position + 2 < bytes.count else { return (0, 0) }
        let limit = min(Self.longest, bytes.count - position)
        var best = (length: 0, distance: 0)
        var candidate = Int(newest[hash(position)])
        var steps = Self.chainLimit
        while candidate >= 0, position - candidate < Self.window, steps > 0 {
            let length = sharedLength(candidate, position, limit: limit)
            if length > best.length { best = (length, position - candidate) }
            if length == limit { break }
            candidate = Int(older[candidate % Self.window])
            steps -= 1
        }
        return best.length >= 3 ? best : (0, 0)
    }

    private func sharedLength(_ a: Int, _ b: Int, limit: Int) -> Int {
        var length = 0
        while length < limit, bytes[a + length] == bytes[b + length] { length += 1 }
        return length
    }
}
