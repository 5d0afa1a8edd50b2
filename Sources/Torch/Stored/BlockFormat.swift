/// A format of quantised numbers: a block of neighbours of a row has one scale, or few, and a few bits a
/// number.
///
/// All but ``nf4`` are GGUF's block types (llama.cpp, `ggml-common.h`). Reference implementations:
/// `gguf.quants`, and bitsandbytes for NF4.
public enum BlockFormat: String, CaseIterable, Sendable {
    case q4_0, q4_1, q5_0, q5_1, q8_0
    case q4_K, q5_K, q6_K
    /// NormalFloat of 4 bits, in blocks of 64 with a scale in float32 (Dettmers et al. 2023, QLoRA).
    case nf4

    /// Numbers of a block.
    public var blockSize: Int {
        switch self {
        case .q4_0, .q4_1, .q5_0, .q5_1, .q8_0: 32
        case .q4_K, .q5_K, .q6_K: 256
        case .nf4: 64
        }
    }

    /// Bytes of a block.
    public var blockByteCount: Int {
        switch self {
        case .q4_0: 18
        case .q4_1: 20
        case .q5_0: 22
        case .q5_1: 24
        case .q8_0: 34
        case .q4_K: 144
        case .q5_K: 176
        case .q6_K: 210
        case .nf4: 36
        }
    }

    /// Formats that numbers are quantised to; the others are only read.
    public static let written: [BlockFormat] = [.q8_0, .q4_0, .nf4]

    /// Bits that a number takes, scales included.
    public var bitsPerNumber: Double { Double(blockByteCount * 8) / Double(blockSize) }

    /// Whether rows of so many numbers are whole blocks.
    public func divides(_ columns: Int) -> Bool { columns % blockSize == 0 }

    /// Bytes of a row of so many numbers, which are whole blocks.
    public func rowByteCount(_ columns: Int) -> Int { columns / blockSize * blockByteCount }

    /// The number of `ctorch::BlockFormat`.
    var number: Int {
        switch self {
        case .q4_0: 0
        case .q4_1: 1
        case .q5_0: 2
        case .q5_1: 3
        case .q8_0: 4
        case .q4_K: 5
        case .q5_K: 6
        case .q6_K: 7
        case .nf4: 8
        }
    }
}
