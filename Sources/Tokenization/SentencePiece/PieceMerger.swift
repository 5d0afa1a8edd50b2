/// Merges the scalars of texts to pieces by the pieces' scores, and collects the outcome.
struct PieceMerger {
    private let inventory: SentencePieceInventory
    private let keepsHistory: Bool
    private var symbols: [Symbol] = []
    private var queue = PriorityQueue<MergeCandidate>()
    /// The length of the left part that an unused piece was last seen to be made of, by id.
    private var history: [Int: Int] = [:]
    private var result: [TextPiece] = []

    /// A stretch of the text, which grows as it is merged with its right neighbour.
    private struct Symbol {
        let start: Int
        /// Equal to `start` once the symbol is part of its left neighbour.
        var end: Int
        var previous: Int
        var next: Int
        /// Where the text leads in the trie of pieces; nil when no piece starts so.
        var node: ScalarTrie.Node?
        let isFrozen: Bool
    }

    init(inventory: SentencePieceInventory, keepsHistory: Bool) {
        self.inventory = inventory
        self.keepsHistory = keepsHistory
    }

    mutating func takeResult() -> [TextPiece] {
        defer { result = [] }
        return result
    }

    mutating func merge(_ text: [Unicode.Scalar], _ range: Range<Int>) {
        split(text, range)
        history = [:]
        for right in symbols.indices.dropFirst() { offer(right - 1, right, text) }
        while let candidate = queue.pop() {
            let (left, right) = (Int(candidate.left), Int(candidate.right))
            // One of the two may have been merged otherwise since.
            guard symbols[left].end == symbols[right].start,
                symbols[left].start < symbols[left].end, symbols[right].end == candidate.end,
                symbols[right].start < symbols[right].end
            else { continue }
            join(left, right, node: candidate.node)
            offer(symbols[left].previous, left, text)
            offer(left, symbols[left].next, text)
        }
        var index = symbols.isEmpty ? -1 : 0
        while index >= 0 {
            append(symbols[index], text)
            index = symbols[index].next
        }
    }

    /// Starts with a symbol for each scalar, or for each user-defined piece, which stays apart.
    private mutating func split(_ text: [Unicode.Scalar], _ range: Range<Int>) {
        symbols.removeAll(keepingCapacity: true)
        var position = range.lowerBound
        while position < range.upperBound {
            let match = inventory.userDefined?.longestMatch(in: text[range], at: position)
            let end = match?.end ?? position + 1
            symbols.append(
                Symbol(
                    start: position, end: end, previous: symbols.count - 1,
                    next: end < range.upperBound ? symbols.count + 1 : -1,
                    node: match == nil
                        ? inventory.text.child(of: ScalarTrie.root, text[position]) : nil,
                    isFrozen: match != nil))
            position = end
        }
    }

    /// Queues two neighbours if together they are a piece.
    private mutating func offer(_ left: Int, _ right: Int, _ text: [Unicode.Scalar]) {
        guard left >= 0, right >= 0, !symbols[right].isFrozen, var node = symbols[left].node else {
            return
        }
        for index in symbols[right].start..<symbols[right].end {
            guard let next = inventory.text.child(of: node, text[index]) else { return }
            node = next
        }
        guard let id = inventory.text.value(at: node) else { return }
        queue.push(
            MergeCandidate(
                score: inventory.scores[id], left: Int32(left), right: Int32(right),
                end: symbols[right].end, node: node))
        if keepsHistory, inventory.kinds[id] == .unused {
            history[id] = symbols[left].end - symbols[left].start
        }
    }

    private mutating func join(_ left: Int, _ right: Int, node: ScalarTrie.Node) {
        symbols[left].end = symbols[right].end
        symbols[left].node = node
        symbols[left].next = symbols[right].next
        if symbols[right].next >= 0 { symbols[symbols[right].next].previous = left }
        symbols[right].end = symbols[right].start
    }

    private mutating func append(_ symbol: Symbol, _ text: [Unicode.Scalar]) {
        let range = symbol.start..<symbol.end
        if let id = symbol.node.flatMap(inventory.text.value(at:)), inventory.kinds[id] != .unused {
            result.append(TextPiece(range: range, id: id))
        } else {
            resegment(range, text)
        }
    }

    /// Looks a stretch up among all pieces. An unused one is taken apart as it was put together, and
    /// unknown when it is one scalar.
    private mutating func resegment(_ range: Range<Int>, _ text: [Unicode.Scalar]) {
        let id = inventory.vocabulary.id(for: String(scalars: text[range])) ?? inventory.unknownID
        guard inventory.kinds[id] == .unused else {
            result.append(TextPiece(range: range, id: id))
            return
        }
        guard let left = history[id] else {
            result.append(TextPiece(range: range, id: inventory.unknownID))
            return
        }
        resegment(range.lowerBound..<range.lowerBound + left, text)
        resegment(range.lowerBound + left..<range.upperBound, text)
    }
}
