import DualTorch

/// T of Dual LoRA's direction, T(D C); the names are those of `direction_fn`. Xu et al., table 5.
public enum DirectionFunction: String, CaseIterable, Sendable {
    /// Sign(Z): the paper's.
    case sign
    /// Z: no function.
    case identity
    /// Signs that are drawn once and never train, in the place of D C.
    case fixed
}

/// The signs of a fixed direction, W_b (d, k): ±1, each as likely. Any rows of them are made from
/// the seed when they are needed, so that nothing of the size of a weight is kept.
struct FixedDirection {
    /// Two numbers, of whose bits the seed is made: what a saved adapter has of the direction.
    private let seed: UInt64
    /// k
    let columns: Int

    init(seed: Tensor, columns: Int) throws {
        let halves: [Float] = try seed.array()
        self.seed = halves.reduce(0) { $0 << 32 | UInt64($1.bitPattern) }
        self.columns = columns
    }

    static func drawSeed(using generator: Generator) throws -> Tensor {
        try .uniform([2], using: generator)
    }

    /// Rows of W_b, in the type and the place of another tensor.
    func rows(_ rows: Range<Int>, like other: Tensor) throws -> Tensor {
        // 64 signs of a row at a time; a row begins with a number of its own.
        let words = (columns + 63) / 64
        let signs = [Float](unsafeUninitializedCapacity: rows.count * columns) { memory, count in
            for (index, row) in rows.enumerated() {
                var random = SplitMix64(seed: seed, skipping: row * words)
                let line = memory[(index * columns)..<((index + 1) * columns)]
                var start = line.startIndex
                while start < line.endIndex {
                    let word = random.next()
                    for bit in 0..<min(64, line.endIndex - start) {
                        memory.initializeElement(at: start + bit, to: word >> bit & 1 == 0 ? -1 : 1)
                    }
                    start += 64
                }
            }
            count = rows.count * columns
        }
        return try Tensor(signs, [rows.count, columns]).to(other.dtype).to(device: other.device)
    }
}
