/// A binary heap of candidates, the best on top.
struct CandidateQueue {
    private var heap: [MergeCandidate] = []

    mutating func insert(_ candidate: MergeCandidate) {
        var index = heap.count
        heap.append(candidate)
        while index > 0 {
            let parent = (index - 1) / 2
            guard candidate.isBetter(than: heap[parent]) else { break }
            heap[index] = heap[parent]
            index = parent
        }
        heap[index] = candidate
    }

    mutating func popBest() -> MergeCandidate? {
        guard let best = heap.first, let last = heap.popLast() else { return nil }
        guard !heap.isEmpty else { return best }
        var index = 0
        while 2 * index + 1 < heap.count {
            var child = 2 * index + 1
            if child + 1 < heap.count, heap[child + 1].isBetter(than: heap[child]) { child += 1 }
            guard heap[child].isBetter(than: last) else { break }
            heap[index] = heap[child]
            index = child
        }
        heap[index] = last
        return best
    }
}
