/// Excludes the tokens that end a text while it is too short.
struct MinimumNewTokens: LogitsProcessor {
    let minimum: Int
    let stopTokens: [Int]

    func process(_ scores: inout [Float], after text: TextSoFar) {
        guard text.newCount < minimum else { return }
        for token in stopTokens where scores.indices.contains(token) {
            scores[token] = -.infinity
        }
    }
}
