import DualTraining

extension [CompletionExample] {
    /// What became of examples that train and have more tokens than they may, in sentences.
    /// - Throws: ``CompletionDataError/nothingLearnt(examples:limit:)`` where none has a token to learn.
    func cutNotes(limit: Int) throws -> [String] {
        let cut = count(where: \.isCut)
        let empty = count(where: { $0.trainedCount == 0 })
        guard isEmpty || empty < count else {
            throw CompletionDataError.nothingLearnt(examples: count, limit: limit)
        }
        guard cut > 0 else { return [] }
        let fate = empty > 0 ? "; \(empty) have nothing left to learn and are left out" : ""
        return ["\(cut) of \(count) examples are cut to `max-length`, \(limit) tokens\(fate)"]
    }
}
