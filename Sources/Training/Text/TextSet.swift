import DualModels
import DualModules
import DualTorch
import Foundation

/// Sequences of text that train.
public struct TextSet: TrainingSet {
    private let sequences: [[Int]]
    private let layout: SequenceLayout
    public let batching: Batching

    /// - Parameter rowLength: tokens that a row of a packed batch has room for.
    public init(_ sequences: [[Int]], rowLength: Int, layout: SequenceLayout) {
        self.sequences = sequences
        self.layout = layout
        batching = layout.isPacked ? .packed(rowLength: rowLength) : .padded
    }

    public var lengths: [Int] { sequences.map(\.count) }

    /// Tokens that are predicted.
    public func weight(of indices: [Int]) -> Int {
        indices.reduce(0) { $0 + sequences[$1].count - 1 }
    }

    public func loss(
        of model: any TransformerModel, on indices: [Int], mode: ForwardMode
    ) throws -> Tensor {
        try nextTokenLoss(
            of: model, on: indices.map { sequences[$0] }, layout: layout, mode: mode)
    }
}

/// exp of the mean loss of a token: how many tokens a model hesitates between.
public struct PerplexityScorer: Scorer {
    private let sequences: [[Int]]
    private let rowLength: Int
    private let layout: SequenceLayout
    /// Rows of a batch.
    private static let rows = 8

    public init(_ sequences: [[Int]], rowLength: Int, layout: SequenceLayout) {
        self.sequences = sequences
        self.rowLength = rowLength
        self.layout = layout
    }

    public func evaluate(
        _ model: any TransformerModel, progress: (Int) throws -> Void = { _ in }
    ) throws -> Evaluation {
        var (total, tokens, done) = (0.0, 0, 0)
        let lengths = sequences.map(\.count)
        let batches =
            layout.isPacked
            ? BatchPlan.packed(
                Array(sequences.indices), lengths: lengths, limit: Self.rows * rowLength)
            : BatchPlan.byLength(lengths, batchSize: Self.rows)
        for indices in batches {
            let part = indices.map { sequences[$0] }
            let loss = try withoutGradient {
                try nextTokenLoss(of: model, on: part, layout: layout).item()
            }
            let count = part.reduce(0) { $0 + $1.count - 1 }
            total += loss * Double(count)
            tokens += count
            done += indices.count
            try progress(done)
        }
        let mean = tokens > 0 ? total / Double(tokens) : .nan
        return Evaluation(
            loss: mean, metrics: [("perplexity", exp(mean))], exampleCount: sequences.count)
    }
}
