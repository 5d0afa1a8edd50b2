import Testing

@testable import DualCharts

@Suite struct DeflateTests {
    /// Bytes of a linear congruential generator: no two runs of the tests differ.
    static func noise(_ count: Int, below limit: UInt64 = 256) -> [UInt8] {
        var state: UInt64 = 7
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8((state >> 33) % limit)
        }
    }

    static let inputs: [(String, [UInt8])] = [
        ("nothing", []), ("one byte", [65]), ("two bytes", [1, 2]),
        ("a run", [UInt8](repeating: 9, count: 20_000)),
        ("every byte", (0...255).map { UInt8($0) }),
        ("noise", noise(5000)), ("noise of two values", noise(9000, below: 2)),
        ("more than one block", noise(40_000, below: 251)),
        ("a repeat at the window's edge", noise(32_767) + noise(300)),
        ("a repeat beyond the window", noise(33_000) + noise(300)),
        ("a short period", (0..<7000).map { UInt8($0 % 7) }),
    ]

    @Test("An independent decoder gives back what was compressed", arguments: inputs.indices)
    func roundTrip(_ index: Int) throws {
        let (name, bytes) = Self.inputs[index]
        let decoded = try Inflate.zlib(Deflate.zlib(bytes))
        #expect(decoded == bytes, "\(name)")
    }

    @Test("Repeats are found: a run of 20,000 bytes takes less than 100")
    func runsAreSmall() {
        #expect(Deflate.zlib([UInt8](repeating: 9, count: 20_000)).count < 100)
    }

    @Test("Checksums are those of the published test vectors")
    func checksums() {
        #expect(Deflate.adler32([UInt8]("Wikipedia".utf8)) == 0x11E6_0398)
        #expect(PNGEncoder.crc32([UInt8]("123456789".utf8)) == 0xCBF4_3926)
    }

    @Test("A code's words fit its limit and use all of its space", arguments: [7, 15])
    func codeLengths(_ longest: Int) {
        // Fibonacci frequencies ask for the longest words of all.
        var frequencies = [1, 1]
        for _ in 0..<17 {
            frequencies.append(frequencies[frequencies.count - 2] + (frequencies.last ?? 0))
        }
        let lengths = HuffmanCode(frequencies: frequencies, longest: longest).lengths
        #expect(lengths.allSatisfy { (1...longest).contains($0) })
        #expect(lengths.reduce(0) { $0 + 1 << (longest - $1) } == 1 << longest)
    }
}
