import DualModels
import DualTokenization
import DualTraining

extension FineTuningRun {
    /// The tokenizer with the tokens that are added; nil where there are none.
    /// - Throws: ``TrainingError/badOption(name:reason:)``, ``TokenizerError``.
    func extendedTokenizer() throws -> ExtendedTokenizer? {
        guard !addedTokens.isEmpty else { return nil }
        func bad(_ reason: String) -> TrainingError {
            .badOption(name: "add-tokens", reason: reason)
        }
        guard case .model = base else { throw bad("a new model's tokens are its tokenizer's") }
        if let blank = addedTokens.first(where: { $0.allSatisfy(\.isWhitespace) }) {
            throw bad(blank.isEmpty ? "a token is empty" : "'\(blank)' is white space alone")
        }
        return try ExtendedTokenizer(extending: tokenizerFiles(), with: addedTokens)
    }

}

extension ExtendedTokenizer {
    /// What the user should know of the tokens.
    /// - Parameter count: of the model's tokens before.
    func note(in model: any TransformerModel, of count: Int) -> String {
        let spelled = tokens.map { "\($0.text) \($0.id)" }.joined(separator: ", ")
        let known = tokens.count { !$0.isNew }
        let rows = model.vocabularySize
        return "tokens added: \(spelled)"
            + (known > 0 ? "; the tokenizer knew \(known) of them" : "")
            + (rows > count
                ? "; the embedding has \(rows) rows, not \(count), and the new ones start at the others' mean"
                : "; the embedding has rows for them, \(rows)")
    }
}
