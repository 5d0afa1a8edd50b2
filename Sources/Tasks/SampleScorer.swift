import DualGeneration
import DualJSON
import DualModels
import DualTokenization
import DualTraining

/// The loss of examples, and what the model writes behind the beginnings of some of them: behind the
/// prompt of the last answer, or behind the first half of what is all learnt.
struct SampleScorer: Scorer {
    private let losses: CompletionScorer
    private let samples: [(prompt: [Int], rest: [Int])]
    private let tokenizer: Tokenizer
    private let stopTokens: [Int]

    private static let mostNewTokens = 256
    private static let batchSize = 8

    init(
        losses: CompletionScorer, _ examples: some Sequence<CompletionExample>,
        encoder: TaskEncoder
    ) throws {
        self.losses = losses
        samples = examples.filter { $0.ids.count > 1 }.map(\.parted)
        tokenizer = encoder.tokenizer
        let end = try encoder.template?.endOfTurn(encoder.tokenizer)
        stopTokens = encoder.stopTokens + (end.map { [$0] } ?? [])
    }

    let isCostly = true

    func add(to fingerprint: inout Fingerprint) { losses.add(to: &fingerprint) }

    func loss(
        of model: any TransformerModel, progress: (ScoringProgress) throws -> Void
    ) throws -> Double {
        try losses.loss(of: model, progress: progress)
    }

    func evaluate(
        _ model: any TransformerModel, progress: (ScoringProgress) throws -> Void
    ) throws -> Evaluation {
        guard let causal = model as? any CausalModel else {
            throw ModelError.noHead(folder: "this model")
        }
        let scores = try losses.evaluate(model, progress: progress)
        return Evaluation(
            loss: scores.loss, metrics: scores.metrics, exampleCount: scores.exampleCount,
            predictions: try written(causal, progress))
    }

    /// A line of JSON a sample: its prompt, what the model wrote, and what stands in the data.
    private func written(
        _ model: any CausalModel, _ progress: (ScoringProgress) throws -> Void
    ) throws -> [String] {
        let generator = TextGenerator(model: model, tokenizer: tokenizer)
        var lines = [String](repeating: "", count: samples.count)
        var done = 0
        let lengths = samples.map(\.prompt.count)
        for indices in BatchPlan.byLength(lengths, batchSize: Self.batchSize) {
            var options = GenerationOptions()
            options.batchSize = Self.batchSize
            options.stopTokens = stopTokens
            // The last new token is not read, and needs no position.
            let longest = indices.map { lengths[$0] }.max() ?? 0
            let room = model.maximumLength.map { $0 - longest + 1 } ?? .max
            options.maximumNewTokens = min(Self.mostNewTokens, max(1, room))
            let generations = try generator.generate(
                ids: indices.map { samples[$0].prompt }, options,
                at: ScoringProgress(stage: .answers, done: done, total: samples.count), progress)
            for (index, generation) in zip(indices, generations) {
                lines[index] = line(samples[index], generation.text ?? "")
            }
            done += indices.count
            try progress(ScoringProgress(stage: .answers, done: done, total: samples.count))
        }
        return lines
    }

    private func line(_ sample: (prompt: [Int], rest: [Int]), _ text: String) -> String {
        var line = JSONLine()
        line.set("prompt", tokenizer.decode(sample.prompt))
        line.set("text", text)
        line.set("gold", tokenizer.decode(sample.rest, skippingSpecialTokens: true))
        return line.text
    }
}

extension CompletionExample {
    /// What the model reads and what it should then say: of answers the last, of text the second half.
    fileprivate var parted: (prompt: [Int], rest: [Int]) {
        let end = isTrained.lastIndex(of: true).map { $0 + 1 } ?? ids.count
        let start = isTrained[..<end].lastIndex(of: false).map { $0 + 1 } ?? 0
        // The first token is never learnt: what begins behind it has no prompt of its own.
        let place = start > 1 && start < end ? start : max(1, ids.count / 2)
        return (Array(ids[..<place]), Array(ids[place..<max(place, end)]))
    }
}
