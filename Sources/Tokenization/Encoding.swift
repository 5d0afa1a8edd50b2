/// What a tokenizer makes of one text or one pair of texts: three arrays of one length.
public struct Encoding: Equatable, Sendable {
    /// The vocabulary indices a model takes.
    public var ids: [Int]
    /// 0 for the first text and its special tokens, 1 for the second, as the template says.
    public var typeIDs: [Int]
    /// The spelling of each id, as `tokenizers` reports it: an added token keeps the white space
    /// that it swallowed.
    public var tokens: [String]

    public init(ids: [Int] = [], typeIDs: [Int] = [], tokens: [String] = []) {
        self.ids = ids
        self.typeIDs = typeIDs
        self.tokens = tokens
    }

    mutating func append(_ pieces: some Sequence<Piece>, typeID: Int) {
        for piece in pieces {
            ids.append(piece.id)
            typeIDs.append(typeID)
            tokens.append(piece.token)
        }
    }
}

/// One token of a text, before special tokens are put around it.
struct Piece: Equatable, Sendable {
    var id: Int
    var token: String
}
