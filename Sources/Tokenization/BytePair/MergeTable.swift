/// The merges of a byte pair encoding by their two parts: an open-addressing table, since there
/// may be hundreds of thousands.
struct MergeTable: Sendable {
    struct Merge: Equatable, Sendable {
        var rank: Int
        var id: Int
    }

    private var keys: [UInt64]
    /// Rank and id of the result, 32 bits each; all bits set where a slot is free.
    private var values: [UInt64]
    private let mask: Int
    private var joints = MergeJoints()

    /// - Parameter prefixLength: how many bytes the prefix of tokens that continue a word has; the
    ///   right part loses it when it is merged.
    init(
        _ merges: TokenList, _ vocabulary: Vocabulary, prefixLength: Int, file: String
    ) throws(TokenizerError) {
        var capacity = 64
        while capacity < merges.count { capacity *= 2 }
        keys = Array(repeating: 0, count: capacity)
        values = Array(repeating: .max, count: capacity)
        mask = capacity - 1
        var mergedIDs: [MergeJoints.Parts] = []
        for rank in 0..<merges.count / 2 {
            let left = merges.range(of: 2 * rank)
            let right = merges.range(of: 2 * rank + 1)
            guard let leftID = id(left, merges, vocabulary),
                let rightID = id(right, merges, vocabulary),
                let id = joined(left, right, prefixLength, merges, vocabulary)
            else {
                throw .unusableValue(
                    file: file, field: "model.merges[\(rank)]",
                    reason: "'\(merges.token(at: 2 * rank))' and "
                        + "'\(merges.token(at: 2 * rank + 1))', or what they merge to, are not "
                        + "in the vocabulary")
            }
            insert(leftID, rightID, rank, id)
            mergedIDs.append(.init(left: leftID, right: rightID, result: id))
        }
        joints = MergeJoints(mergedIDs, vocabulary)
    }

    /// The id of the bytes in a range.
    private func id(_ range: Range<Int>, _ merges: TokenList, _ vocabulary: Vocabulary) -> Int? {
        merges.bytes.withUnsafeBufferPointer {
            vocabulary.id(forUTF8: UnsafeBufferPointer(rebasing: $0[range]))
        }
    }

    /// The id of the two parts put together.
    private func joined(
        _ left: Range<Int>, _ right: Range<Int>, _ prefixLength: Int, _ merges: TokenList,
        _ vocabulary: Vocabulary
    ) -> Int? {
        guard right.count >= prefixLength else { return nil }
        // The parts lie one behind the other, so that without a prefix they are joined already.
        if prefixLength == 0 {
            return id(left.lowerBound..<right.upperBound, merges, vocabulary)
        }
        let bytes = merges.bytes[left] + merges.bytes[right.dropFirst(prefixLength)]
        return bytes.withUnsafeBufferPointer(vocabulary.id(forUTF8:))
    }

    /// Of a pair that is listed twice the last merge holds, as in a Rust map.
    private mutating func insert(_ left: Int, _ right: Int, _ rank: Int, _ id: Int) {
        let key = Self.key(left, right)
        let slot = slot(of: key)
        keys[slot] = key
        values[slot] = UInt64(truncatingIfNeeded: rank) << 32 | UInt64(truncatingIfNeeded: id)
    }

    @inline(__always)
    static func key(_ left: Int, _ right: Int) -> UInt64 {
        UInt64(truncatingIfNeeded: left) << 32 | UInt64(truncatingIfNeeded: right)
    }

    @inline(__always)
    private func slot(of key: UInt64) -> Int {
        var hash = key &* 0x9E37_79B9_7F4A_7C15
        hash ^= hash >> 32
        var slot = Int(truncatingIfNeeded: hash) & mask
        while values[slot] != .max, keys[slot] != key { slot = (slot + 1) & mask }
        return slot
    }

    @inline(__always)
    subscript(left: Int, right: Int) -> Merge? {
        let value = values[slot(of: Self.key(left, right))]
        return value == .max
            ? nil
            : Merge(
                rank: Int(truncatingIfNeeded: value >> 32),
                id: Int(truncatingIfNeeded: value & 0xFFFF_FFFF))
    }

    /// Merges the symbols of a word until no merge is left (`Word::merge_all`), run by run: a word
    /// may be a whole text, and the queue of a run is short.
    func apply(to scratch: inout BPEScratch) {
        var start = 0
        while start < scratch.symbols.count {
            var end = start + 1
            while end < scratch.symbols.count,
                joints.mayJoin(scratch.symbols[end - 1].id, scratch.symbols[end].id)
            {
                end += 1
            }
            scratch.symbols[start].previous = -1
            scratch.symbols[end - 1].next = -1
            if end - start > 1 { apply(to: &scratch, run: start..<end) }
            start = end
        }
    }

    private func apply(to scratch: inout BPEScratch, run: Range<Int>) {
        scratch.queue.removeAll()
        for index in run.dropLast() { push(index, &scratch) }
        while let top = scratch.queue.pop() {
            let symbol = scratch.symbols[top.position]
            guard !symbol.isMerged, symbol.next >= 0 else { continue }
            let right = scratch.symbols[symbol.next]
            // An entry is out of date when its pair has gone, unless another took its place that
            // merges to the same.
            guard let merge = self[symbol.id, right.id], merge.id == top.id else { continue }
            scratch.symbols[symbol.next].isMerged = true
            scratch.symbols[top.position].id = top.id
            scratch.symbols[top.position].next = right.next
            if right.next >= 0 {
                scratch.symbols[right.next].previous = top.position
                push(top.position, &scratch)
            }
            if symbol.previous >= 0 { push(symbol.previous, &scratch) }
        }
    }

    /// Queues the merge of a symbol with the next, if there is one.
    @inline(__always)
    private func push(_ position: Int, _ scratch: inout BPEScratch) {
        let symbol = scratch.symbols[position]
        if let merge = self[symbol.id, scratch.symbols[symbol.next].id] {
            scratch.queue.push(.init(rank: merge.rank, position: position, id: merge.id))
        }
    }
}
