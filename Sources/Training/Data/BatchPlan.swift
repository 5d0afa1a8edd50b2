/// Which examples every optimizer step sees: a function of the seed and the step alone, so that a
/// resumed run goes on where it stopped.
///
/// In each epoch the examples are shuffled, sorted by length within windows of many batches, cut into
/// batches, and the batches are shuffled: little padding, and still a random order. Reference:
/// transformers' `LengthGroupedSampler`.
public struct BatchPlan: Sendable {
    private let lengths: [Int]
    private let batchSize: Int
    private let accumulation: Int
    private let seed: UInt64
    private static let batchesPerWindow = 50

    public init(lengths: [Int], batchSize: Int, accumulation: Int, seed: UInt64) {
        self.lengths = lengths
        self.batchSize = batchSize
        self.accumulation = accumulation
        self.seed = seed
    }

    public var stepsPerEpoch: Int {
        let perStep = batchSize * accumulation
        return (lengths.count + perStep - 1) / perStep
    }

    /// The steps of an epoch; each is a list of micro-batches of example numbers.
    public func epoch(_ number: Int) -> [[[Int]]] {
        var random = SplitMix64(seed: seed &+ 0x9E37_79B9 &* UInt64(number + 1))
        var order = Array(lengths.indices)
        order.shuffle(using: &random)
        let window = batchSize * Self.batchesPerWindow
        var batches: [[Int]] = []
        for start in stride(from: 0, to: order.count, by: window) {
            let part = order[start..<min(start + window, order.count)]
            let sorted = part.sorted { (lengths[$1], $0) < (lengths[$0], $1) }
            for first in stride(from: 0, to: sorted.count, by: batchSize) {
                batches.append(Array(sorted[first..<min(first + batchSize, sorted.count)]))
            }
        }
        batches.shuffle(using: &random)
        return stride(from: 0, to: batches.count, by: accumulation).map {
            Array(batches[$0..<min($0 + accumulation, batches.count)])
        }
    }

    /// Batches in order of length, for evaluation.
    static func byLength(_ lengths: [Int], batchSize: Int) -> [[Int]] {
        let sorted = lengths.indices.sorted { (lengths[$1], $0) < (lengths[$0], $1) }
        return stride(from: 0, to: sorted.count, by: batchSize).map {
            Array(sorted[$0..<min($0 + batchSize, sorted.count)])
        }
    }
}

/// A small random generator with the same numbers on every machine. Steele et al. 2014, "Fast
/// splittable pseudorandom number generators".
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
