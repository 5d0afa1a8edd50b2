/// The unigram model of `sentencepiece` (`unigram_model.cc`, `EncodeOptimized`).
struct SentencePieceUnigram: TokenModel {
    private let inventory: SentencePieceInventory
    private let path: BestPath<Float>

    var vocabulary: Vocabulary { inventory.vocabulary }

    /// What is taken off the lowest score for a scalar that no piece covers.
    private static let unknownPenalty: Float = 10

    init(_ inventory: SentencePieceInventory) {
        self.inventory = inventory
        var trie = ScalarTrie(expectedNodes: 2 * inventory.kinds.count)
        var scores = inventory.scores
        var lowest = Float.greatestFiniteMagnitude
        inventory.forEachTextPiece { token, id in
            switch inventory.kinds[id] {
            case .normal: lowest = min(lowest, scores[id])
            // Better than any pieces that it could be cut into.
            case .userDefined: scores[id] = 0.1 * Float(token.utf8.count - 1)
            case .unused, .control, .unknown, .byte: return
            }
            trie.insert(token.unicodeScalars, value: id)
        }
        path = BestPath(
            trie: trie, scores: scores, unknownScore: lowest - Self.unknownPenalty,
            unknownID: inventory.unknownID, limit: 100_000)
    }

    func tokenize(_ words: Words, into pieces: inout Pieces) {
        for word in words.ranges {
            inventory.append(
                path.pieces(of: words.scalars[word]), of: words.scalars, to: &pieces)
        }
    }
}
