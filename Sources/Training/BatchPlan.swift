import DualTorch

/// Which examples every optimizer step sees: a function of the seed and the step alone, so that a
/// resumed run goes on where it stopped.
///
/// In each epoch the examples are shuffled. Those that are padded are then sorted by length within
/// windows of many batches, cut into batches, and the batches are shuffled: little padding, and still
/// a random order (reference: transformers' `LengthGroupedSampler`). Those that are packed fill one
/// batch after the other. Without shuffling, batches follow the order of the data.
public final class BatchPlan {
    private let lengths: [Int]
    private let batchSize: Int
    private let accumulation: Int
    private let batching: Batching
    private let shuffles: Bool
    private let seed: UInt64
    /// Steps of each epoch that was asked for.
    private var stepCounts: [Int: Int] = [:]
    private static let batchesPerWindow = 50

    public init(
        lengths: [Int], batchSize: Int, accumulation: Int, batching: Batching = .padded,
        shuffles: Bool = true, seed: UInt64
    ) {
        self.lengths = lengths
        self.batchSize = batchSize
        self.accumulation = accumulation
        self.batching = batching
        self.shuffles = shuffles
        self.seed = seed
    }

    /// The steps of an epoch; each is a list of micro-batches of example numbers.
    public func epoch(_ number: Int) -> [[[Int]]] {
        var random = SplitMix64(seed: seed &+ 0x9E37_79B9 &* UInt64(number + 1))
        var order = Array(lengths.indices)
        if shuffles { order.shuffle(using: &random) }
        let batches =
            switch batching {
            case .packed(let rowLength):
                Self.packed(order, lengths: lengths, limit: rowLength * batchSize)
            case .padded: padded(order, using: &random)
            }
        return stride(from: 0, to: batches.count, by: accumulation).map {
            Array(batches[$0..<min($0 + accumulation, batches.count)])
        }
    }

    /// The epoch of a step, its place there, and the steps of that epoch.
    public func place(ofStep step: Int) -> (epoch: Int, index: Int, steps: Int) {
        var (epoch, index) = (0, step)
        while index >= steps(inEpoch: epoch) {
            index -= steps(inEpoch: epoch)
            epoch += 1
        }
        return (epoch, index, steps(inEpoch: epoch))
    }

    /// Epochs that are behind a run after so many steps.
    func epochs(atStep step: Int) -> Double {
        let place = place(ofStep: step)
        return Double(place.epoch) + Double(place.index) / Double(place.steps)
    }

    public func steps(ofEpochs count: Int) -> Int {
        (0..<count).reduce(0) { $0 + steps(inEpoch: $1) }
    }

    /// The same for all epochs, but for packed ones, which depend on the order.
    private func steps(inEpoch epoch: Int) -> Int {
        guard case .packed = batching, shuffles else {
            if let count = stepCounts[0] { return count }
            stepCounts[0] = max(1, self.epoch(0).count)
            return stepCounts[0] ?? 1
        }
        if let count = stepCounts[epoch] { return count }
        let count = max(1, self.epoch(epoch).count)
        stepCounts[epoch] = count
        return count
    }

    private func padded(_ order: [Int], using random: inout SplitMix64) -> [[Int]] {
        guard shuffles else { return Self.cut(order, batchSize) }
        var batches: [[Int]] = []
        for window in Self.cut(order, batchSize * Self.batchesPerWindow) {
            let sorted = window.sorted { (lengths[$1], $0) < (lengths[$0], $1) }
            batches += Self.cut(sorted, batchSize)
        }
        batches.shuffle(using: &random)
        return batches
    }

    private static func cut(_ order: [Int], _ size: Int) -> [[Int]] {
        stride(from: 0, to: order.count, by: size).map {
            Array(order[$0..<min($0 + size, order.count)])
        }
    }

    /// Examples in their order, as many in each batch as have at most `limit` tokens together.
    package static func packed(_ order: [Int], lengths: [Int], limit: Int) -> [[Int]] {
        var (batches, room) = ([[Int]](), 0)
        for index in order {
            if lengths[index] > room || batches.isEmpty {
                batches.append([])
                room = limit
            }
            batches[batches.count - 1].append(index)
            room -= lengths[index]
        }
        return batches
    }

    /// Batches in order of length, for evaluation.
    package static func byLength(_ lengths: [Int], batchSize: Int) -> [[Int]] {
        cut(lengths.indices.sorted { (lengths[$1], $0) < (lengths[$0], $1) }, batchSize)
    }
}
