/// A small random generator with the same numbers on every machine. Steele et al. 2014, "Fast
/// splittable pseudorandom number generators".
package struct SplitMix64: RandomNumberGenerator, Sendable {
    private static let step: UInt64 = 0x9E37_79B9_7F4A_7C15
    private var state: UInt64

    /// - Parameter skipped: how many numbers the first one to come stands behind.
    package init(seed: UInt64, skipping skipped: Int = 0) {
        state = seed &+ UInt64(truncatingIfNeeded: skipped) &* Self.step
    }

    package mutating func next() -> UInt64 {
        state &+= Self.step
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
