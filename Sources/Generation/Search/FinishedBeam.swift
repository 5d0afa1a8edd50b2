/// A place for a finished beam.
struct FinishedBeam {
    var row: GenerationRow
    var score: Float
    /// Whether a finished beam has taken the place.
    var isTaken: Bool
}
