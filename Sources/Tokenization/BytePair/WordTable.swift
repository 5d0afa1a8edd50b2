/// The ids of words by their scalars: an open-addressing table over two long arrays. When it is
/// full it starts anew.
struct WordTable: Sendable {
    private struct Entry {
        var hash: UInt64
        var keyEnd: Int
        var idEnd: Int
    }

    private static let capacity = 1 << 16
    private static let longestWord = 256

    private var slots: [Int32] = Array(repeating: -1, count: 1 << 10)
    /// The first entry only marks where keys and ids start.
    private var entries = [Entry(hash: 0, keyEnd: 0, idEnd: 0)]
    private var keys: [Unicode.Scalar] = []
    private var ids: [Int] = []

    var count: Int { entries.count - 1 }

    /// Appends the ids of a word, which are made when the table does not have them.
    @inline(__always)
    mutating func append(
        _ word: UnsafeBufferPointer<Unicode.Scalar>, to pieces: inout Pieces,
        make: () -> [Int]
    ) {
        guard word.count <= Self.longestWord else {
            pieces.append(contentsOf: make())
            return
        }
        let hash = Self.hash(word)
        let slot = slot(of: word, hash)
        if slots[slot] >= 0 {
            let entry = Int(slots[slot])
            let end = entries[entry].idEnd
            var index = entries[entry - 1].idEnd
            while index < end {
                pieces.append(ids[index])
                index += 1
            }
        } else {
            let made = make()
            pieces.append(contentsOf: made)
            insert(word, hash, made)
        }
    }

    private static func hash(_ word: UnsafeBufferPointer<Unicode.Scalar>) -> UInt64 {
        var hash: UInt64 = UInt64(word.count)
        for scalar in word { hash = (hash ^ UInt64(scalar.value)) &* 0x9E37_79B9_7F4A_7C15 }
        return hash ^ hash >> 32
    }

    /// The slot that holds a word, or the free one where it belongs.
    private func slot(of word: UnsafeBufferPointer<Unicode.Scalar>, _ hash: UInt64) -> Int {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] >= 0 {
            let index = Int(slots[slot])
            if entries[index].hash == hash {
                let start = entries[index - 1].keyEnd
                if entries[index].keyEnd - start == word.count,
                    word.indices.allSatisfy({ keys[start + $0] == word[$0] })
                {
                    break
                }
            }
            slot = (slot + 1) & mask
        }
        return slot
    }

    private mutating func insert(
        _ word: UnsafeBufferPointer<Unicode.Scalar>, _ hash: UInt64, _ made: [Int]
    ) {
        if count >= Self.capacity { self = WordTable() }
        keys.append(contentsOf: word)
        ids.append(contentsOf: made)
        entries.append(Entry(hash: hash, keyEnd: keys.count, idEnd: ids.count))
        if entries.count * 2 > slots.count {
            rebuildSlots()
        } else {
            slots[slot(of: word, hash)] = Int32(truncatingIfNeeded: entries.count - 1)
        }
    }

    private mutating func rebuildSlots() {
        let mask = 2 * slots.count - 1
        slots = Array(repeating: -1, count: mask + 1)
        for index in entries.indices.dropFirst() {
            var slot = Int(truncatingIfNeeded: entries[index].hash) & mask
            while slots[slot] >= 0 { slot = (slot + 1) & mask }
            slots[slot] = Int32(truncatingIfNeeded: index)
        }
    }
}
