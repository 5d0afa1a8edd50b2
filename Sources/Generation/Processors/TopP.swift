/// Keeps the fewest tokens, the most probable first, whose probabilities together reach a share.
/// Holtzman et al. 2020, arXiv:1904.09751, section 3.1.
struct TopP: LogitsProcessor {
    let share: Double

    func process(_ scores: inout [Float], after text: TextSoFar) {
        let total = TokenProbabilities.total(of: scores)
        guard total.sum > 0 else { return }
        // The greatest scores mostly suffice: more are looked at only where they do not.
        var count = 64
        while true {
            let largest = LargestScores.of(scores, count: min(count, scores.count))
            if let kept = kept(of: largest, total) {
                keep(largest.prefix(kept), of: &scores)
                return
            }
            if count >= scores.count { return }
            count *= 8
        }
    }

    /// How many of the greatest scores reach the share; nil if they do not.
    private func kept(of largest: [ScoredToken], _ total: TokenProbabilities) -> Int? {
        var sum = 0.0
        for (index, scored) in largest.enumerated() {
            // As in the reference, what lies below a token and with it must exceed 1 - share.
            if index > 0, 1 - sum <= 1 - share { return index }
            sum += total.probability(of: scored.score)
        }
        return 1 - sum <= 1 - share ? largest.count : nil
    }

    private func keep(_ tokens: ArraySlice<ScoredToken>, of scores: inout [Float]) {
        scores.withUnsafeMutableBufferPointer { $0.update(repeating: -.infinity) }
        for scored in tokens { scores[scored.token] = scored.score }
    }
}
