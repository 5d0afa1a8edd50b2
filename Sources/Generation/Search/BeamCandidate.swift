/// A running beam with one more token.
struct BeamCandidate {
    /// The place in the item of the beam that it goes on from.
    let origin: Int
    let token: Int
    let score: Float
}
