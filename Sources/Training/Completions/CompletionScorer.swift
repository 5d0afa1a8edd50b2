import DualModels
import DualTorch
import Foundation

/// The mean loss of a learnt token, and exp of it: how many tokens a model hesitates between.
public struct CompletionScorer: Scorer {
    private let examples: CompletionExamples
    private let rowLength: Int
    private let layout: SequenceLayout
    /// Rows of a batch.
    private static let rows = 8

    /// - Parameters:
    ///   - examples: those of which nothing is learnt are left out.
    ///   - rowLength: tokens that a row of a packed batch has room for.
    public init(
        _ examples: some Sequence<CompletionExample>, rowLength: Int, layout: SequenceLayout
    ) {
        self.examples = CompletionExamples(examples).learnt
        self.rowLength = rowLength
        self.layout = layout
    }

    public func add(to fingerprint: inout Fingerprint) { fingerprint.add(examples) }

    public func evaluate(
        _ model: any TransformerModel, progress: (ScoringProgress) throws -> Void = { _ in }
    ) throws -> Evaluation {
        var (total, tokens, done) = (0.0, 0, 0)
        let lengths = examples.lengths
        let batches =
            layout.isPacked
            ? BatchPlan.packed(
                Array(examples.indices), lengths: lengths, limit: Self.rows * rowLength)
            : BatchPlan.byLength(lengths, batchSize: Self.rows)
        for indices in batches {
            let batch = indices.map { examples[$0] }
            let loss = try withoutGradient {
                try completionLoss(of: model, on: batch, layout: layout).item()
            }
            let count = batch.reduce(0) { $0 + $1.trainedCount }
            total += loss * Double(count)
            tokens += count
            done += indices.count
            try progress(
                ScoringProgress(stage: .losses, done: done, total: examples.count))
        }
        let mean = tokens > 0 ? total / Double(tokens) : .nan
        return Evaluation(
            loss: mean, metrics: [("perplexity", exp(mean))], exampleCount: examples.count)
    }
}
