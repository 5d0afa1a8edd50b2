/// Keeps the tokens of the greatest scores; those that equal the last of them stay too.
/// Fan et al. 2018, arXiv:1805.04833, section 5.4.
struct TopK: LogitsProcessor {
    let count: Int

    func process(_ scores: inout [Float], after text: TextSoFar) {
        guard count < scores.count,
            let least = LargestScores.of(scores, count: count).last?.score
        else { return }
        for index in scores.indices where scores[index] < least { scores[index] = -.infinity }
    }
}
