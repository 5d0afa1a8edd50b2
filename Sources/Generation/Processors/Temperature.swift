/// Divides scores: below 1 the distribution becomes sharper, above 1 flatter.
struct Temperature: LogitsProcessor {
    let temperature: Float

    func process(_ scores: inout [Float], after text: TextSoFar) {
        for index in scores.indices { scores[index] /= temperature }
    }
}
