/// Makes tokens that a part of the text has less probable: positive scores are divided by the penalty,
/// negative ones multiplied. Keskar et al. 2019, arXiv:1909.05858, section 4.1.
struct RepetitionPenalty: LogitsProcessor {
    let penalty: Float
    var source = TextSoFar.Part.text

    /// Each token counts once, however often it came.
    func process(_ scores: inout [Float], after text: TextSoFar) {
        for token in Set(text[source]) where scores.indices.contains(token) {
            let score = scores[token]
            scores[token] = score < 0 ? score * penalty : score / penalty
        }
    }
}
