import DualTokenization

/// A continuation while it is made.
struct GenerationRow {
    let prompt: Int
    var text: TextSoFar
    /// The decoded text, where there is a tokenizer.
    var decoded: ContinuationText?

    init(prompt: Int, ids: [Int], tokenizer: Tokenizer?, options: GenerationOptions) {
        self.prompt = prompt
        text = TextSoFar(tokens: ids, promptCount: ids.count)
        decoded = tokenizer.map {
            ContinuationText(tokenizer: $0, prompt: ids, stopStrings: options.stopStrings)
        }
    }

    mutating func append(_ token: Int) {
        text.tokens.append(token)
        decoded?.append(token)
    }

    /// The row with its new tokens decoded, if they are not yet.
    func decoding(_ tokenizer: Tokenizer?, _ options: GenerationOptions) -> GenerationRow {
        guard decoded == nil, let tokenizer else { return self }
        var row = GenerationRow(
            prompt: prompt, ids: Array(text.tokens.prefix(text.promptCount)), tokenizer: tokenizer,
            options: options)
        for token in text.newTokens { row.append(token) }
        return row
    }

    /// Why the row ends with its last token, if it does.
    func finish(_ options: GenerationOptions, limit: Int) -> Generation.Finish? {
        guard let last = text.newTokens.last else { return nil }
        if options.stopTokens.contains(last) { return .stopToken }
        if decoded?.isStopped ?? false { return .stopString }
        return text.newCount >= limit ? .length : nil
    }

    func generation(_ finish: Generation.Finish, score: Double? = nil) -> Generation {
        var decoded = decoded
        decoded?.finish()
        return Generation(
            prompt: prompt, ids: Array(text.newTokens), text: decoded?.text, finish: finish,
            promptTokens: text.promptCount, score: score)
    }
}
