/// Excludes the tokens that end a text while it is too short.
public struct MinimumNewTokens: LogitsProcessor {
    public let minimum: Int
    public let stopTokens: [Int]

    public init(minimum: Int, stopTokens: [Int]) {
        self.minimum = minimum
        self.stopTokens = stopTokens
    }

    public func process(_ scores: inout [Float], after text: TextSoFar) {
        guard text.newCount < minimum else { return }
        for token in stopTokens where scores.indices.contains(token) {
            scores[token] = -.infinity
        }
    }
}
