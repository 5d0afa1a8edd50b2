/// A stretch of a text and the token that it is.
struct TextPiece: Equatable {
    let range: Range<Int>
    /// The id of the piece, or the unknown id for a scalar that no piece covers.
    let id: Int
}
