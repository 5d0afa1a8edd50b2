import DualDatasets
import DualTraining

/// The examples that train, in the order of the data.
public struct Completions: Sendable {
    public var examples: CompletionExamples
    /// What the user should know of them, in sentences.
    public var notes: [String]
    /// Rows that could not be used and were left out.
    public var skippedCount: Int

    public init(
        _ examples: some Sequence<CompletionExample>, notes: [String] = [], skippedCount: Int = 0
    ) {
        self.examples = CompletionExamples(examples)
        self.notes = notes
        self.skippedCount = skippedCount
    }
}
