/// The unigram model of `sentencepiece` (`unigram_model.cc`, `EncodeOptimized`).
struct SentencePieceUnigram: TokenModel {
    private let inventory: SentencePieceInventory
    private let path: BestPath<Float>

    var vocabulary: Vocabulary { inventory.vocabulary }

    /// What is taken off the lowest score for a scalar that no piece covers.
    private static let unknownPenalty: Float = 10

    init(_ inventory: SentencePieceInventory) {
        self.inventory = inventory
        let kinds = inventory.kinds
        let normal = inventory.scores.indices.filter { kinds[$0] == .normal }
        let lowest = normal.map { inventory.scores[$0] }.min() ?? .greatestFiniteMagnitude
        let highest = normal.map { inventory.scores[$0] }
            .reduce(Float.leastNormalMagnitude, max)
        var trie = ScalarTrie(expectedNodes: 2 * kinds.count)
        let scores = inventory.scores.indices.map { id in
            let token = inventory.vocabulary.token(for: id) ?? ""
            switch kinds[id] {
            case .normal, .userDefined: trie.insert(token.unicodeScalars, value: id)
            case .control, .unknown, .unused, .byte: break
            }
            // A user-defined piece is the best way through its text, unless a normal one holds it.
            guard kinds[id] == .userDefined else { return Double(inventory.scores[id]) }
            return Double(Float(token.utf8.count) * highest) - 0.1
        }
        path = BestPath(
            trie: trie, scores: scores, unknownScore: lowest - Self.unknownPenalty,
            unknownID: inventory.unknownID)
    }

    func tokenize(_ words: Words, into pieces: inout Pieces) {
        for word in words.ranges {
            inventory.append(
                path.pieces(of: words.scalars[word]), of: words.scalars, to: &pieces)
        }
    }
}
