/// The most probable way to cut a text into pieces of which each has a logarithmic probability,
/// found in one walk from left to right (Viterbi): `encode_optimized` of `tokenizers`, which is
/// `EncodeOptimized` of `sentencepiece`.
///
/// `Score` is what a path's sum is kept in: `tokenizers` keeps a `Double`, `sentencepiece` a `Float`.
/// The sum runs over the whole text, so that the difference shows in long texts.
struct BestPath<Score: BinaryFloatingPoint & Sendable>: Sendable {
    private struct Arrival {
        var score: Score
        var start: Int32
        var id: Int32

        /// Comes by another way if that is the better one.
        @inline(__always)
        mutating func improve(_ score: Score, _ start: Int, _ id: Int) {
            guard self.start < 0 || score > self.score else { return }
            self = Arrival(
                score: score, start: Int32(truncatingIfNeeded: start),
                id: Int32(truncatingIfNeeded: id))
        }
    }

    /// Pieces by their spelling, with their ids as values.
    let trie: ScalarTrie
    /// By id.
    let scores: [Score]
    let unknownScore: Score
    let unknownID: Int
    /// How far a sum may be from 0 before all sums are taken relative to it, lest they lose digits.
    var limit = Score.infinity

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
        var farthest = 0
        for start in 0..<text.count {
            if abs(arrivals[start].score) > limit {
                Self.subtract(arrivals[start].score, from: &arrivals[start...farthest])
            }
            let before = arrivals[start].score
            var isCovered = false
            trie.forEachMatch(in: text, at: text.startIndex + start) { id, end in
                let position = end - text.startIndex
                isCovered = isCovered || position == start + 1
                farthest = max(farthest, position)
                arrivals[position].improve(scores[id] + before, start, id)
            }
            guard !isCovered else { continue }
            farthest = max(farthest, start + 1)
            arrivals[start + 1].improve(unknownScore + before, start, unknownID)
        }
        return arrivals
    }

    private static func subtract(_ score: Score, from arrivals: inout ArraySlice<Arrival>) {
        for index in arrivals.indices
        where index == arrivals.startIndex || arrivals[index].start >= 0 {
            arrivals[index].score -= score
        }
    }
}
