/// SHA-1 of bytes that come piece by piece: what git names its objects by. FIPS 180-4, section 6.1.
struct SHA1 {
    private var state: [UInt32] = [
        0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0,
    ]
    private var blocks = BlockBuffer()

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        var state = state
        blocks.take(bytes) { Self.compress($0, into: &state) }
        self.state = state
    }

    /// The digest in hexadecimal digits.
    mutating func finish() -> String {
        var state = state
        blocks.pad { Self.compress($0, into: &state) }
        return state.hexadecimal
    }

    /// Takes whole blocks of 64 bytes into the state.
    private static func compress(_ bytes: UnsafeRawBufferPointer, into state: inout [UInt32]) {
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 80) { w in
            for start in stride(from: 0, to: bytes.count, by: 64) {
                for i in 0..<16 {
                    w[i] = UInt32(
                        bigEndian: bytes.loadUnaligned(
                            fromByteOffset: start + 4 * i, as: UInt32.self))
                }
                for i in 16..<80 {
                    w[i] = (w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16]).rotated(31)
                }
                rounds(w, &state)
            }
        }
    }

    private static func rounds(_ w: UnsafeMutableBufferPointer<UInt32>, _ state: inout [UInt32]) {
        var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
        for i in 0..<80 {
            let (mixed, constant): (UInt32, UInt32) =
                switch i {
                case ..<20: ((b & c) | (~b & d), 0x5a82_7999)
                case ..<40: (b ^ c ^ d, 0x6ed9_eba1)
                case ..<60: ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc)
                default: (b ^ c ^ d, 0xca62_c1d6)
                }
            let next = a.rotated(27) &+ mixed &+ e &+ constant &+ w[i]
            (e, d, c, b, a) = (d, c, b.rotated(2), a, next)
        }
        for (i, value) in [a, b, c, d, e].enumerated() { state[i] &+= value }
    }
}
