/// A decoder of RFC 1951 written from its text, apart from the encoder, to check it with.
struct Inflate {
    enum Failure: Error { case badData }

    private let bytes: [UInt8]
    private var position = 0
    private var output: [UInt8] = []

    /// Decodes a zlib stream and checks its checksum.
    static func zlib(_ stream: [UInt8]) throws -> [UInt8] {
        guard stream.count > 6, stream[0] == 0x78, (Int(stream[0]) << 8 | Int(stream[1])) % 31 == 0
        else { throw Failure.badData }
        var inflate = Inflate(bytes: Array(stream.dropFirst(2).dropLast(4)))
        try inflate.run()
        var (a, b) = (1, 0)
        for byte in inflate.output {
            a = (a + Int(byte)) % 65521
            b = (b + a) % 65521
        }
        let stored = stream.suffix(4).reduce(0) { $0 << 8 | Int($1) }
        guard stored == b << 16 | a else { throw Failure.badData }
        return inflate.output
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func bits(_ count: Int) throws -> Int {
        var value = 0
        for shift in 0..<count {
            guard position / 8 < bytes.count else { throw Failure.badData }
            value |= Int(bytes[position / 8] >> (position % 8) & 1) << shift
            position += 1
        }
        return value
    }

    private mutating func run() throws {
        var isLast = false
        while !isLast {
            isLast = try bits(1) == 1
            guard try bits(2) == 2 else { throw Failure.badData }
            try block()
        }
        guard (position + 7) / 8 == bytes.count else { throw Failure.badData }
    }

    private mutating func block() throws {
        let (literalCount, distanceCount) = (try bits(5) + 257, try bits(5) + 1)
        let lengthCount = try bits(4) + 4
        let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
        var codeLengths = [Int](repeating: 0, count: 19)
        for slot in order.prefix(lengthCount) { codeLengths[slot] = try bits(3) }
        let code = Self.words(codeLengths)
        var lengths: [Int] = []
        while lengths.count < literalCount + distanceCount {
            let symbol = try symbol(code)
            switch symbol {
            case 16:
                guard let last = lengths.last else { throw Failure.badData }
                lengths += [Int](repeating: last, count: try bits(2) + 3)
            case 17: lengths += [Int](repeating: 0, count: try bits(3) + 3)
            case 18: lengths += [Int](repeating: 0, count: try bits(7) + 11)
            default: lengths.append(symbol)
            }
        }
        guard lengths.count == literalCount + distanceCount else { throw Failure.badData }
        try data(
            literals: Self.words(Array(lengths.prefix(literalCount))),
            distances: Self.words(Array(lengths.suffix(distanceCount))))
    }

    private mutating func data(literals: [Int: Int], distances: [Int: Int]) throws {
        while true {
            let symbol = try symbol(literals)
            if symbol == 256 { return }
            if symbol < 256 {
                output.append(UInt8(symbol))
                continue
            }
            let length = try self.length(symbol)
            let code = try self.symbol(distances)
            let extra = max(0, code / 2 - 1)
            let base = code < 2 ? code + 1 : ((2 + code % 2) << extra) + 1
            let distance = base + (try bits(extra))
            guard code < 30, distance <= output.count else { throw Failure.badData }
            for _ in 0..<length { output.append(output[output.count - distance]) }
        }
    }

    private mutating func length(_ symbol: Int) throws -> Int {
        if symbol == 285 { return 258 }
        guard symbol < 285 else { throw Failure.badData }
        let code = symbol - 257
        if code < 8 { return code + 3 }
        let extra = code / 4 - 1
        return ((4 + code % 4) << extra) + 3 + (try bits(extra))
    }

    private mutating func symbol(_ code: [Int: Int]) throws -> Int {
        var word = 1  // a leading one keeps 0 and 00 apart
        for _ in 0..<15 {
            word = word << 1 | (try bits(1))
            if let symbol = code[word] { return symbol }
        }
        throw Failure.badData
    }

    private static func words(_ lengths: [Int]) -> [Int: Int] {
        var (words, next) = ([Int: Int](), 0)
        for length in 1...15 {
            next <<= 1
            for symbol in lengths.indices where lengths[symbol] == length {
                words[1 << length | next] = symbol
                next += 1
            }
        }
        return words
    }
}
