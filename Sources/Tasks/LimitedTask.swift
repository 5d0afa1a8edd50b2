import DualTraining

/// A task of which a part can be scored.
public protocol LimitedTask: TrainingTask {
    /// What is scored at most: examples, or inputs that the model answers; the first of each set. nil for
    /// all.
    var limit: Int? { get set }
}

extension LimitedTask {
    /// - Throws: ``TrainingError/badOption(name:reason:)``.
    func checkLimit() throws {
        guard let limit, limit < 1 else { return }
        throw TrainingError.badOption(name: "limit", reason: "\(limit) is not 1 or greater")
    }
}

/// A task whose score needs no text to be written, but of which some can be: what the model writes behind
/// the beginnings of the examples that score.
public protocol SamplingTask: LimitedTask {
    /// Examples that the model goes on with, from the first; `Int.max` for all.
    var samples: Int { get set }
}

extension SamplingTask {
    /// - Throws: ``TrainingError/badOption(name:reason:)``.
    func checkSamples() throws {
        try checkLimit()
        guard samples < 0 else { return }
        throw TrainingError.badOption(name: "samples", reason: "\(samples) is negative")
    }

    /// What scores the examples, and lets the model go on with some.
    func scorer(
        of examples: some Sequence<CompletionExample>, layout: SequenceLayout,
        encoder: TaskEncoder
    ) throws -> any Scorer {
        let scored = Array(examples.prefix(limit ?? .max))
        let losses = CompletionScorer(scored, rowLength: encoder.maximumLength, layout: layout)
        guard samples > 0 else { return losses }
        return try SampleScorer(losses: losses, scored.prefix(samples), encoder: encoder)
    }
}
