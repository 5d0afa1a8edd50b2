/// The tokens of a model and their ids. Tokens are looked up by exact bytes, so a precomposed
/// and a decomposed spelling are two tokens, as they are in `tokenizers`.
final class Vocabulary: Sendable {
    private let tokens: TokenList
    private let ids: [Int]
    /// An open-addressing table of entries, by the hash of their bytes; -1 is free.
    private let slots: [Int32]
    private let entryOfID: EntryTable

    /// When a token occurs twice the later id holds, as in a Rust map that is filled in order.
    ///
    /// - Parameter ids: nil numbers the tokens by their order.
    /// - Throws: `TokenizerError` for an empty vocabulary, or an id that two tokens share.
    init(
        _ tokens: TokenList, ids: [Int]? = nil, file: String, field: String = ""
    ) throws(TokenizerError) {
        let ids = ids ?? Array(0..<tokens.count)
        var capacity = 64
        while capacity < 2 * tokens.count { capacity *= 2 }
        var slots = [Int32](repeating: -1, count: capacity)
        var replaced: Set<Int> = []
        tokens.bytes.withUnsafeBufferPointer { bytes in
            for entry in 0..<tokens.count {
                let token = UnsafeBufferPointer(rebasing: bytes[tokens.range(of: entry)])
                let slot = Self.slot(of: token, in: slots, tokens, bytes)
                if slots[slot] >= 0 { replaced.insert(Int(slots[slot])) }
                slots[slot] = Int32(truncatingIfNeeded: entry)
            }
        }
        var entries = EntryTable(limit: ids.max() ?? -1, count: tokens.count)
        for (entry, id) in ids.enumerated() where replaced.isEmpty || !replaced.contains(entry) {
            if let other = entries.update(id, entry) {
                throw .duplicateID(
                    file: file, id: id, first: tokens.token(at: other),
                    second: tokens.token(at: entry))
            }
        }
        guard entries.count > 0 else { throw .emptyVocabulary(file: file, field: field) }
        (self.tokens, self.ids, self.slots, entryOfID) = (tokens, ids, slots, entries)
    }

    var count: Int { entryOfID.count }

    var maximumID: Int { entryOfID.maximumID }

    /// Whether a table over all ids up to the largest takes no more room than the tokens do.
    var hasDenseIDs: Bool { entryOfID.isDense }

    func id(for token: String) -> Int? {
        var token = token
        return token.withUTF8 { id(forUTF8: $0) }
    }

    /// The id of a token given by its bytes.
    func id(forUTF8 token: UnsafeBufferPointer<UInt8>) -> Int? {
        let entry = tokens.bytes.withUnsafeBufferPointer { bytes in
            slots[Self.slot(of: token, in: slots, tokens, bytes)]
        }
        return entry < 0 ? nil : ids[Int(entry)]
    }

    func token(for id: Int) -> String? {
        entryOfID[id].map(tokens.token(at:))
    }

    /// All tokens with their ids, in no particular order; of a token that occurs twice the last.
    func forEach(_ body: (_ token: String, _ id: Int) -> Void) {
        for entry in slots where entry >= 0 {
            body(tokens.token(at: Int(entry)), ids[Int(entry)])
        }
    }

    /// The slot that holds a token, or the free one where it belongs.
    private static func slot(
        of token: UnsafeBufferPointer<UInt8>, in slots: [Int32], _ tokens: TokenList,
        _ bytes: UnsafeBufferPointer<UInt8>
    ) -> Int {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash(token)) & mask
        while slots[slot] >= 0 {
            let range = tokens.range(of: Int(slots[slot]))
            if range.count == token.count,
                zip(bytes[range], token).allSatisfy({ $0 == $1 })
            {
                break
            }
            slot = (slot + 1) & mask
        }
        return slot
    }

    /// FNV-1a, its upper half folded in.
    private static func hash(_ token: UnsafeBufferPointer<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in token { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return hash ^ hash >> 32
    }
}

/// The entry of each id: an array where ids lie close together, as they nearly always do.
private struct EntryTable: Sendable {
    private var dense: [Int32]
    private var sparse: [Int: Int] = [:]
    private(set) var count = 0
    private(set) var maximumID = -1

    var isDense: Bool { !dense.isEmpty }

    /// A table for ids up to a limit.
    init(limit: Int, count: Int) {
        let isDense = limit < 4 * count + 1024
        dense = Array(repeating: -1, count: isDense ? limit + 1 : 0)
    }

    subscript(id: Int) -> Int? {
        if dense.isEmpty { return sparse[id] }
        guard dense.indices.contains(id), dense[id] >= 0 else { return nil }
        return Int(dense[id])
    }

    /// Stores an entry and returns the one that had the id before.
    mutating func update(_ id: Int, _ entry: Int) -> Int? {
        let old = self[id]
        if old == nil { count += 1 }
        maximumID = max(maximumID, id)
        if dense.isEmpty {
            sparse[id] = entry
        } else {
            dense[id] = Int32(truncatingIfNeeded: entry)
        }
        return old
    }
}
