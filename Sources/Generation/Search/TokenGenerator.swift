import Foundation

/// Uniform numbers that depend on a seed alone: SplitMix64, Steele et al. 2014,
/// doi:10.1145/2714064.2660195.
struct TokenGenerator: RandomNumberGenerator {
    private var state: UInt64

    /// - Parameters:
    ///   - prompt, sequence: numbers of a continuation, each of which gets draws of its own.
    init(seed: UInt64, prompt: Int, sequence: Int) {
        state = seed
        state = next() ^ UInt64(truncatingIfNeeded: prompt)
        state = next() ^ UInt64(truncatingIfNeeded: sequence)
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// In [0, 1), of 53 bits.
    mutating func nextUniform() -> Double { Double(next() >> 11) * 0x1p-53 }

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
