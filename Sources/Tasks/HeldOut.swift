import DualTraining

/// Examples that score a model, where the data has none of its own: a share of the training examples, from
/// the end.
enum HeldOut {
    /// - Parameters:
    ///   - share: of the examples, at least one.
    ///   - others: examples to score on; nil to hold some out.
    /// - Throws: ``CompletionDataError/tooShort(sequences:length:)`` where none would be left to train on.
    static func split(
        _ examples: [CompletionExample], share: Double, others: [CompletionExample]?,
        maximumLength: Int
    ) throws -> (training: [CompletionExample], scoring: [CompletionExample]) {
        if let others { return (examples, others) }
        let held = max(1, Int((Double(examples.count) * share).rounded()))
        guard held < examples.count else {
            throw CompletionDataError.tooShort(sequences: examples.count, length: maximumLength)
        }
        return (examples.dropLast(held), examples.suffix(held))
    }
}
