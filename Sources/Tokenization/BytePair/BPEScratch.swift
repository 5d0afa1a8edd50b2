/// Room for the work on one word, used again for the next.
struct BPEScratch {
    /// A token of a word, linked to its neighbours; -1 where there is none.
    struct Symbol {
        var id: Int
        var previous: Int
        var next: Int
        var isMerged = false
    }

    /// A merge that waits: of the lowest rank the leftmost comes first.
    struct Merge: Prioritized {
        var rank: Int
        var position: Int
        var id: Int

        @inline(__always)
        func comes(before other: Merge) -> Bool {
            rank != other.rank ? rank < other.rank : position < other.position
        }
    }

    var symbols: [Symbol] = []
    var queue = PriorityQueue<Merge>()
    var bytes: [UInt8] = []

    var ids: [Int] { symbols.compactMap { $0.isMerged ? nil : $0.id } }

    mutating func append(_ scalar: Unicode.Scalar) {
        for byte in UTF8Bytes(scalar) { bytes.append(byte) }
    }

    mutating func add(_ id: Int) {
        let index = symbols.count
        if index > 0 { symbols[index - 1].next = index }
        symbols.append(Symbol(id: id, previous: index - 1, next: -1))
    }
}
