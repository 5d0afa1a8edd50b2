/// A token as an id and its spelling.
struct Piece: Equatable, Sendable {
    var id: Int
    var token: String
}

/// The tokens of one text, before special tokens are put around it.
///
/// A token is its id, since training and generation want nothing else; its spelling is that of
/// the vocabulary. Only a token that is spelled otherwise in the text, because it swallowed white
/// space or was normalized, brings its spelling along.
struct Pieces: Equatable, Sendable {
    private(set) var ids: [Int] = []
    /// Spellings that differ from the vocabulary's, by position.
    private(set) var spellings: [Int: String] = [:]

    var count: Int { ids.count }

    mutating func append(_ id: Int) {
        ids.append(id)
    }

    mutating func append(contentsOf more: some Sequence<Int>) {
        ids.append(contentsOf: more)
    }

    /// Appends a token whose spelling may differ from the vocabulary's.
    mutating func append(_ piece: Piece) {
        spellings[ids.count] = piece.token
        ids.append(piece.id)
    }

    mutating func append(contentsOf more: Pieces) {
        for (position, spelling) in more.spellings { spellings[ids.count + position] = spelling }
        ids.append(contentsOf: more.ids)
    }

    /// Cuts the end off.
    mutating func truncate(to limit: Int) {
        guard ids.count > limit else { return }
        ids.removeSubrange(limit...)
        spellings = spellings.filter { $0.key < limit }
    }
}
