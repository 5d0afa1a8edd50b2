/// A token and its score.
struct ScoredToken: Equatable, Sendable {
    var token: Int
    var score: Float
}
