/// The byte-pair model of `sentencepiece` (`bpe_model.cc`): merges the neighbours whose joint piece
/// has the best score, the leftmost of equals, until no two neighbours make a piece.
struct SentencePieceBPE: TokenModel {
    private let inventory: SentencePieceInventory
    /// Where a text can be cut beforehand, because no piece reaches over such a place.
    private let cut: Cut
    /// An unused piece is merged like any other, and taken apart again in the end.
    private let hasUnusedPieces: Bool

    var vocabulary: Vocabulary { inventory.vocabulary }

    private enum Cut { case beforeSpaces, behindSpaces, nowhere }

    init(_ inventory: SentencePieceInventory) {
        self.inventory = inventory
        hasUnusedPieces = inventory.kinds.contains(.unused)
        var (spaceFollows, spaceLeads) = (hasUnusedPieces, hasUnusedPieces)
        let space = SentencePieceNormalizer.space
        inventory.forEachTextPiece { token, _ in
            let isSpace = token.unicodeScalars.map { $0 == space }
            for (first, second) in zip(isSpace, isSpace.dropFirst()) where first != second {
                if second { spaceFollows = true } else { spaceLeads = true }
            }
        }
        cut = !spaceFollows ? .beforeSpaces : !spaceLeads ? .behindSpaces : .nowhere
    }

    func tokenize(_ words: Words, into pieces: inout Pieces) {
        var merger = PieceMerger(inventory: inventory, keepsHistory: hasUnusedPieces)
        for word in words.ranges {
            var start = word.lowerBound
            while start < word.upperBound {
                let end = endOfPart(of: words.scalars, from: start, limit: word.upperBound)
                merger.merge(words.scalars, start..<end)
                start = end
            }
            inventory.append(merger.takeResult(), of: words.scalars, to: &pieces)
        }
    }

    private func endOfPart(of text: [Unicode.Scalar], from start: Int, limit: Int) -> Int {
        let space = SentencePieceNormalizer.space
        var end = start + 1
        switch cut {
        case .nowhere: return limit
        case .beforeSpaces:
            while end < limit, text[end] != space || text[end - 1] == space { end += 1 }
        case .behindSpaces:
            while end < limit, text[end] == space || text[end - 1] != space { end += 1 }
        }
        return end
    }
}
