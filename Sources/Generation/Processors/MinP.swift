import Foundation

/// Keeps tokens at least so probable as a share of the most probable one's probability.
/// Nguyen et al. 2024, arXiv:2407.01082.
struct MinP: LogitsProcessor {
    let share: Double

    func process(_ scores: inout [Float], after text: TextSoFar) {
        guard let greatest = scores.max(), greatest.isFinite else { return }
        let gap = log(share)
        for index in scores.indices where Double(scores[index] - greatest) < gap {
            scores[index] = -.infinity
        }
    }
}
