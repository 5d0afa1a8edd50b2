/// Unigram as in `tokenizers` (`models/unigram/model.rs`): the most probable way to cut a word.
///
/// Neighbouring unknown pieces become one; if it is spelled like a token it is that token, else
/// its bytes where `fallsBackToBytes` and all of them are tokens, else the unknown token.
struct Unigram: TokenModel {
    let vocabulary: Vocabulary
    private let path: BestPath<Double>
    /// The ids of the tokens `<0x00>` to `<0xFF>`, if the model falls back to bytes.
    private let bytes: [Int?]?

    /// What `tokenizers` takes off the lowest score for a scalar that no piece covers.
    private static let unknownPenalty = 10.0

    /// `scores` are by id.
    init(vocabulary: Vocabulary, scores: [Double], unknownID: Int, fallsBackToBytes: Bool) {
        self.vocabulary = vocabulary
        var trie = ScalarTrie(expectedNodes: 2 * vocabulary.count)
        vocabulary.forEach { token, id in
            if !token.isEmpty { trie.insert(token.unicodeScalars, value: id) }
        }
        path = BestPath(
            trie: trie, scores: scores,
            unknownScore: (scores.min() ?? 0) - Self.unknownPenalty, unknownID: unknownID)
        bytes =
            fallsBackToBytes
            ? (0...255).map { vocabulary.id(for: SentencePieceByte.token(of: $0)) } : nil
    }

    func tokenize(_ words: Words, into pieces: inout Pieces) {
        for word in words.ranges {
            tokenize(words.scalars[word], into: &pieces)
        }
    }

    private func tokenize(_ word: ArraySlice<Unicode.Scalar>, into pieces: inout Pieces) {
        var unknown: Range<Int>?
        for piece in path.pieces(of: word) {
            if piece.id == path.unknownID {
                unknown = (unknown?.lowerBound ?? piece.range.lowerBound)..<piece.range.upperBound
                continue
            }
            if let range = unknown { append(unknown: word[range], to: &pieces) }
            unknown = nil
            pieces.append(piece.id)
        }
        if let range = unknown { append(unknown: word[range], to: &pieces) }
    }

    private func append(unknown text: ArraySlice<Unicode.Scalar>, to pieces: inout Pieces) {
        let spelling = String(scalars: text)
        if let id = vocabulary.id(for: spelling) {
            pieces.append(id)
        } else if let bytes = bytes.flatMap({ ids(of: spelling, $0) }) {
            pieces.append(contentsOf: bytes)
        } else {
            pieces.append(Piece(id: path.unknownID, token: spelling))
        }
    }

    /// nil when a byte is no token.
    private func ids(of text: String, _ bytes: [Int?]) -> [Int]? {
        let ids = text.utf8.compactMap { bytes[Int($0)] }
        return ids.count == text.utf8.count ? ids : nil
    }
}
