import DualTraining

/// What there is to know of examples before a model is trained on them.
public struct DataInspection: Sendable {
    public let exampleCount: Int
    /// Of all examples together.
    public let tokenCount: Int
    /// Tokens that are learnt.
    public let trainedCount: Int
    /// Examples of which tokens were cut off.
    public let cutCount: Int
    /// Examples that teach a token that ends a text.
    public let stopCount: Int
    /// Tokens of the shortest, the middle and the longest example.
    public let lengths: (least: Int, median: Int, most: Int)
    /// How many examples have a length in each range, the ranges in order and equally wide.
    public let histogram: [(lengths: ClosedRange<Int>, count: Int)]
    /// The share of an epoch's batches that is padding; of packed rows, what stays empty.
    public let paddingShare: Double

    private static let bars = 12

    /// - Parameters:
    ///   - examples: one at least.
    ///   - stopTokens: what ends a text.
    ///   - rowLength: tokens that a row of a packed batch has room for; nil where examples are padded.
    ///   - batchSize: examples of a batch, or rows of a packed one.
    public init(
        _ examples: CompletionExamples, stopTokens: [Int], batchSize: Int, rowLength: Int?,
        seed: UInt64 = 0
    ) {
        let stops = Set(stopTokens)
        let counts = examples.lengths
        let sorted = counts.sorted()
        exampleCount = examples.count
        tokenCount = counts.reduce(0, +)
        trainedCount = examples.trainedCounts.reduce(0, +)
        cutCount = examples.cutCount
        stopCount = examples.indices.count { examples.learns(stops, in: $0) }
        lengths = (
            sorted.first ?? 0, sorted.isEmpty ? 0 : sorted[sorted.count / 2], sorted.last ?? 0
        )
        histogram = Self.histogram(sorted)
        let plan = BatchPlan(
            lengths: counts, batchSize: batchSize, accumulation: 1,
            batching: rowLength.map { .packed(rowLength: $0) } ?? .padded, seed: seed)
        let positions = plan.epoch(0).flatMap { $0 }.reduce(0) { sum, batch in
            let longest = batch.map { counts[$0] }.max() ?? 0
            return sum + (rowLength.map { $0 * batchSize } ?? longest * batch.count)
        }
        paddingShare = positions > 0 ? 1 - Double(tokenCount) / Double(positions) : 0
    }

    private static func histogram(_ sorted: [Int]) -> [(lengths: ClosedRange<Int>, count: Int)] {
        guard let least = sorted.first, let most = sorted.last else { return [] }
        let width = roundWidth(atLeast: (most - least) / bars + 1)
        return stride(from: least / width * width, through: most, by: width).map { start in
            let range = start...(start + width - 1)
            return (range, sorted.filter { range.contains($0) }.count)
        }
    }

    /// 1, 2 or 5 times a power of ten.
    private static func roundWidth(atLeast width: Int) -> Int {
        var power = 1
        while true {
            if let round = [1, 2, 5].map({ $0 * power }).first(where: { $0 >= width }) {
                return round
            }
            power *= 10
        }
    }
}
