/// The most probable way to cut a text into pieces of which each has a logarithmic probability,
/// found in one walk from left to right (Viterbi): `encode_optimized` of `tokenizers`, which is
/// `EncodeOptimized` of `sentencepiece`.
///
/// `Score` is what a path's sum is kept in: `tokenizers` keeps a `Double`, `sentencepiece` a `Float`
/// although it compares in `Double`. The sum runs over the whole text, so the difference shows.
struct BestPath<Score: BinaryFloatingPoint & Sendable>: Sendable {
    private struct Arrival {
        var score: Score
        var start: Int32
        var id: Int32
    }

    /// Pieces by their spelling, with their ids as values.
    let trie: ScalarTrie
    /// By id.
    let scores: [Double]
    let unknownScore: Score
    let unknownID: Int

    /// Of two equally good ways to a place the one with the earlier last piece stays.
    func pieces(of text: ArraySlice<Unicode.Scalar>) -> [TextPiece] {
        let arrivals = arrivals(in: text)
        var pieces: [TextPiece] = []
        var end = arrivals.count - 1
        while end > 0 {
            let start = Int(arrivals[end].start)
            let range = text.startIndex + start..<text.startIndex + end
            pieces.append(TextPiece(range: range, id: Int(arrivals[end].id)))
            end = start
        }
        pieces.reverse()
        return pieces
    }

    /// The best last piece for each place between two scalars.
    private func arrivals(in text: ArraySlice<Unicode.Scalar>) -> [Arrival] {
        var arrivals = Array(repeating: Arrival(score: 0, start: -1, id: -1), count: text.count + 1)
        for start in 0..<text.count {
            let before = arrivals[start].score
            var isCovered = false
            trie.forEachMatch(in: text, at: text.startIndex + start) { id, end in
                let place = end - text.startIndex
                isCovered = isCovered || place == start + 1
                let score = scores[id] + Double(before)
                guard arrivals[place].start < 0 || score > Double(arrivals[place].score) else {
                    return
                }
                arrivals[place] = Arrival(score: Score(score), start: Int32(start), id: Int32(id))
            }
            guard !isCovered else { continue }
            let score = unknownScore + before
            if arrivals[start + 1].start < 0 || score > arrivals[start + 1].score {
                arrivals[start + 1] = Arrival(
                    score: score, start: Int32(start), id: Int32(unknownID))
            }
        }
        return arrivals
    }
}

/// A stretch of a text and the token that it is.
struct TextPiece: Equatable {
    let range: Range<Int>
    /// The id of the piece, or the unknown id for a scalar that no piece covers.
    let id: Int
}
