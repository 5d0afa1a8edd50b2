/// The third stage: turns one word into tokens of a vocabulary.
protocol TokenModel: Sendable {
    /// Vocabulary tokens and their ids, added tokens not counted.
    var vocabulary: Vocabulary { get }

    /// Appends the tokens of one word, which is not empty.
    func tokenize(_ word: ArraySlice<Unicode.Scalar>, into pieces: inout [Piece])
}

/// WordPiece as in `tokenizers` (`models/wordpiece/mod.rs`): greedily the longest token from the
/// left; what continues a word is looked up behind a prefix. A word that cannot be covered, or
/// that is longer than the limit, is the unknown token as a whole.
struct WordPiece: TokenModel {
    let vocabulary: Vocabulary
    private let unknown: Piece
    private let maximumWordLength: Int
    /// Where the tokens that continue a word start; nil when there are none.
    private let continuation: ScalarTrie.Node?

    init(
        vocabulary: Vocabulary, unknown: Piece, continuationPrefix: String = "##",
        maximumWordLength: Int = 100
    ) {
        self.vocabulary = vocabulary
        self.unknown = unknown
        self.maximumWordLength = maximumWordLength
        continuation = vocabulary.node(for: continuationPrefix.unicodeScalars)
    }

    func tokenize(_ word: ArraySlice<Unicode.Scalar>, into pieces: inout [Piece]) {
        guard word.count <= maximumWordLength else {
            pieces.append(unknown)
            return
        }
        let before = pieces.count
        var start = word.startIndex
        var node: ScalarTrie.Node? = ScalarTrie.root
        while start < word.endIndex {
            guard let from = node,
                let match = vocabulary.longestMatch(in: word, at: start, from: from)
            else {
                pieces.removeSubrange(before...)
                pieces.append(unknown)
                return
            }
            pieces.append(vocabulary.entries[match.entry])
            start = match.end
            node = continuation
        }
    }
}
