/// Room for the work on one word, used again for the next.
struct BPEScratch {
    /// A token of a word, linked to its neighbours; -1 where there is none.
    struct Symbol {
        var id: Int
        var previous: Int
        var next: Int
        var isMerged = false
    }

    var symbols: [Symbol] = []
    var queue = MergeQueue()
    var bytes: [UInt8] = []

    var ids: [Int] { symbols.compactMap { $0.isMerged ? nil : $0.id } }

    mutating func append(_ scalar: Unicode.Scalar) {
        if scalar.value < 0x80 {
            bytes.append(UInt8(scalar.value))
        } else if let encoded = UTF8.encode(scalar) {
            bytes += encoded
        }
    }

    mutating func add(_ id: Int) {
        let index = symbols.count
        if index > 0 { symbols[index - 1].next = index }
        symbols.append(Symbol(id: id, previous: index - 1, next: -1))
    }
}
