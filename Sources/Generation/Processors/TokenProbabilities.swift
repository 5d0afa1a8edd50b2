import Foundation

/// The softmax of scores, in float64.
struct TokenProbabilities {
    let greatest: Float
    /// Σ exp(score - greatest)
    let sum: Double

    /// - Returns: with a sum of 0 if no score is finite.
    static func total(of scores: [Float]) -> TokenProbabilities {
        guard let greatest = scores.max(), greatest.isFinite else {
            return TokenProbabilities(greatest: 0, sum: 0)
        }
        var sum = 0.0
        for score in scores where score > -.infinity { sum += exp(Double(score - greatest)) }
        return TokenProbabilities(greatest: greatest, sum: sum)
    }

    func probability(of score: Float) -> Double { exp(Double(score - greatest)) / sum }
}
