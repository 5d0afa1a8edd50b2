/// A beam while it is followed.
struct RunningBeam {
    var row: GenerationRow
    /// The sum of the new tokens' log-probabilities.
    var score: Float
    /// The place in the item of the beam that it went on from.
    var origin = 0
}
