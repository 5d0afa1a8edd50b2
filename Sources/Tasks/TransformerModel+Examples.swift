import DualModels
import DualTraining

extension TransformerModel {
    /// Checks that the model has an embedding for every token and position of examples.
    /// - Throws: ``ModelError/unknownToken(id:vocabulary:)``, ``ModelError/tooLong(tokens:limit:)``.
    func check(_ examples: CompletionExamples) throws {
        if let range = examples.idRange { try check(ids: [range.lowerBound, range.upperBound]) }
        if let limit = maximumLength, let longest = examples.lengths.max(), longest > limit {
            throw ModelError.tooLong(tokens: longest, limit: limit)
        }
    }
}
