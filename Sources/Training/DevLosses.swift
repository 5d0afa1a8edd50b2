/// What the dev losses of a run have come to, as far as they decide how it ends.
package struct DevLosses: Codable, Equatable {
    /// The lowest, and the steps that were done then.
    package private(set) var best: Double?
    package private(set) var bestStep: Int?
    /// Scores since then that were not lower.
    package private(set) var scoresSinceBest = 0

    /// - Returns: whether the loss is the lowest so far; one that is not finite never is.
    mutating func add(_ loss: Double?, step: Int) -> Bool {
        guard let loss, loss.isFinite, loss < best ?? .infinity else {
            scoresSinceBest += 1
            return false
        }
        (best, bestStep, scoresSinceBest) = (loss, step, 0)
        return true
    }
}
