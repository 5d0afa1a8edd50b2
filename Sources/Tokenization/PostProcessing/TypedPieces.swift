/// Tokens that share a type id: a text, or special tokens beside it.
struct TypedPieces: Equatable, Sendable {
    var pieces: Pieces
    var typeID: Int
}
