import DualGeneration
import DualMetrics
import DualModels
import DualTokenization
import DualTorch
import DualTraining
import Foundation

/// Decodes every meaning and scores the texts as the E2E challenge does; the loss is that of the
/// references.
struct E2EScorer: Scorer {
    let losses: CompletionScorer
    let prompts: [[Int]]
    let references: [[String]]
    let tokenizer: Tokenizer
    let options: GenerationOptions

    let isCostly = true

    func check(_ model: any TransformerModel) throws {
        try model.checkRoom(for: options.maximumNewTokens ?? 0, behind: prompts)
    }

    func add(to fingerprint: inout Fingerprint) { losses.add(to: &fingerprint) }

    func evaluate(
        _ model: any TransformerModel, progress: (ScoringProgress) throws -> Void
    ) throws -> Evaluation {
        guard let model = model as? any CausalModel else {
            throw ModelError.noHead(folder: "this model")
        }
        let loss = try losses.evaluate(model, progress: progress).loss
        var texts: [String] = []
        let generator = TextGenerator(model: model, tokenizer: tokenizer)
        for first in stride(from: 0, to: prompts.count, by: options.batchSize) {
            let batch = Array(prompts[first..<min(first + options.batchSize, prompts.count)])
            let standing = { (done: Int) in
                ScoringProgress(stage: .answers, done: done, total: prompts.count)
            }
            texts += try generator.generate(
                ids: batch, options, at: standing(texts.count), progress
            ).map { Self.line($0.text ?? "") }
            try progress(standing(texts.count))
        }
        let segments = zip(texts, references).map {
            GenerationSegment(hypothesis: $0, references: $1)
        }
        return Evaluation(
            loss: loss,
            metrics: try GenerationMetric.values(of: segments).map {
                (name: $0.metric.rawValue, value: $0.value)
            },
            exampleCount: prompts.count, predictions: texts)
    }

    func loss(
        of model: any TransformerModel, progress: (ScoringProgress) throws -> Void
    ) throws -> Double {
        try losses.loss(of: model, progress: progress)
    }

    /// The first paragraph of what was generated, as one line.
    static func line(_ text: String) -> String {
        // Swift takes "\r\n" for one character, which is no "\n".
        let paragraph = text.replacing("\r\n", with: "\n").split(
            separator: "\n\n", maxSplits: 1, omittingEmptySubsequences: false)
        return (paragraph.first ?? "").replacing("\n", with: " ")
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
