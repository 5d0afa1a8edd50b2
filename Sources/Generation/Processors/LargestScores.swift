/// The greatest of many scores, without sorting them all.
enum LargestScores {
    /// The `count` greatest scores, the greatest first; of equal ones the lower token comes first.
    static func of(_ scores: [Float], count: Int) -> [ScoredToken] {
        scores.withUnsafeBufferPointer { of($0, count: count) }
    }

    static func of(_ scores: UnsafeBufferPointer<Float>, count: Int) -> [ScoredToken] {
        guard count > 0 else { return [] }
        if count >= scores.count {
            return scores.enumerated().map { ScoredToken(token: $0, score: $1) }.sorted(
                by: isBefore)
        }
        // A heap whose root is the last of those kept: most scores fall at one comparison.
        var heap = scores.prefix(count).enumerated().map { ScoredToken(token: $0, score: $1) }
        for index in (0..<count / 2).reversed() { sink(&heap, from: index) }
        var bound = heap[0].score
        for token in count..<scores.count where scores[token] > bound {
            heap[0] = ScoredToken(token: token, score: scores[token])
            sink(&heap, from: 0)
            bound = heap[0].score
        }
        return heap.sorted(by: isBefore)
    }

    static func isBefore(_ a: ScoredToken, _ b: ScoredToken) -> Bool {
        a.score != b.score ? a.score > b.score : a.token < b.token
    }

    private static func sink(_ heap: inout [ScoredToken], from start: Int) {
        var parent = start
        while true {
            var last = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < heap.count && isBefore(heap[last], heap[child]) {
                last = child
            }
            if last == parent { return }
            heap.swapAt(last, parent)
            parent = last
        }
    }

    /// The token of the greatest score, the lowest of equal ones; nil if none is finite.
    static func greatest(_ scores: UnsafeBufferPointer<Float>) -> Int? {
        var (best, token) = (-Float.infinity, -1)
        for index in scores.indices where scores[index] > best {
            (best, token) = (scores[index], index)
        }
        return token >= 0 && best.isFinite ? token : nil
    }
}
