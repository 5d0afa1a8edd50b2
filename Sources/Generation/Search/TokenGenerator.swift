import DualTorch
import Foundation

/// Tokens drawn by uniform numbers that depend on a seed alone.
struct TokenGenerator {
    private var numbers: SplitMix64

    /// - Parameters:
    ///   - prompt, sequence: numbers of a continuation, each of which gets draws of its own.
    init(seed: UInt64, prompt: Int, sequence: Int) {
        numbers = SplitMix64(seed: seed)
        for number in [prompt, sequence] {
            numbers = SplitMix64(seed: numbers.next() ^ UInt64(truncatingIfNeeded: number))
        }
    }

    /// In [0, 1), of 53 bits.
    mutating func nextUniform() -> Double { Double(numbers.next() >> 11) * 0x1p-53 }

    /// A token drawn from the softmax of scores by inverting its distribution function, in the order
    /// of token ids; nil if no token may be drawn.
    mutating func token(from scores: [Float]) -> Int? {
        let total = TokenProbabilities.total(of: scores)
        guard total.sum > 0 else { return nil }
        let wanted = nextUniform() * total.sum
        var (reached, last) = (0.0, 0)
        for (token, score) in scores.enumerated() where score > -.infinity {
            reached += exp(Double(score - total.greatest))
            last = token
            if reached > wanted { return token }
        }
        // Rounding may leave the sum a hair short of what was wanted.
        return last
    }
}
