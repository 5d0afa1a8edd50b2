/// A map from exact sequences of Unicode scalars to values, read one scalar at a time.
///
/// The longest entry at a position is found in one walk, without a key being built for each
/// candidate. Children live in one open-addressing table keyed by (node, scalar).
struct ScalarTrie: Sendable {
    typealias Node = Int

    static let root: Node = 0

    private var keys: [UInt64]
    private var children: [Int32]
    private var values = [-1]
    private var mask: Int

    init(expectedNodes: Int = 64) {
        var capacity = 64
        while capacity < 2 * expectedNodes { capacity *= 2 }
        keys = Array(repeating: .max, count: capacity)
        children = Array(repeating: 0, count: capacity)
        mask = capacity - 1
    }

    var isEmpty: Bool { values.count == 1 }

    /// The value at a node that an entry ends at.
    func value(at node: Node) -> Int? {
        values[node] < 0 ? nil : values[node]
    }

    /// Stores a value and returns the one it replaces.
    @discardableResult
    mutating func insert(_ entry: some Sequence<Unicode.Scalar>, value: Int) -> Int? {
        var node = ScalarTrie.root
        for scalar in entry { node = addChild(of: node, scalar) }
        let old = self.value(at: node)
        values[node] = value
        return old
    }

    /// The node that a sequence leads to, if any entry starts with it.
    func node(for prefix: some Sequence<Unicode.Scalar>) -> Node? {
        var node = ScalarTrie.root
        for scalar in prefix {
            guard let next = child(of: node, scalar) else { return nil }
            node = next
        }
        return node
    }

    /// The longest non-empty way on from `node` along `text` from `start` that ends an entry.
    func longestMatch(
        in text: ArraySlice<Unicode.Scalar>, at start: Int, from node: Node = ScalarTrie.root
    ) -> (value: Int, end: Int)? {
        var longest: (value: Int, end: Int)?
        forEachMatch(in: text, at: start, from: node) { longest = ($0, $1) }
        return longest
    }

    /// Reports every entry that ends on the way on from `node` along `text` from `start`, the
    /// shortest first.
    @inline(__always)
    func forEachMatch(
        in text: ArraySlice<Unicode.Scalar>, at start: Int, from node: Node = ScalarTrie.root,
        _ body: (_ value: Int, _ end: Int) -> Void
    ) {
        var node = node
        var index = start
        while index < text.endIndex, let next = child(of: node, text[index]) {
            node = next
            index += 1
            if values[node] >= 0 { body(values[node], index) }
        }
    }

    private static func key(_ node: Node, _ scalar: Unicode.Scalar) -> UInt64 {
        UInt64(truncatingIfNeeded: node) << 21 | UInt64(scalar.value)
    }

    /// The slot that holds a key, or the free one where it belongs.
    private func slot(of key: UInt64) -> Int {
        var index = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 24) & mask
        while keys[index] != key && keys[index] != .max { index = (index + 1) & mask }
        return index
    }

    /// The node that one scalar leads to from another node.
    func child(of node: Node, _ scalar: Unicode.Scalar) -> Node? {
        let key = Self.key(node, scalar)
        let slot = slot(of: key)
        return keys[slot] == key ? Int(children[slot]) : nil
    }

    private mutating func addChild(of node: Node, _ scalar: Unicode.Scalar) -> Node {
        if let known = child(of: node, scalar) { return known }
        if values.count * 2 > mask { grow() }
        let key = Self.key(node, scalar)
        let slot = slot(of: key)
        keys[slot] = key
        children[slot] = Int32(values.count)
        values.append(-1)
        return values.count - 1
    }

    private mutating func grow() {
        let old = (keys, children)
        mask = 2 * mask + 1
        keys = Array(repeating: .max, count: mask + 1)
        children = Array(repeating: 0, count: mask + 1)
        for (key, child) in zip(old.0, old.1) where key != .max {
            let slot = slot(of: key)
            keys[slot] = key
            children[slot] = child
        }
    }
}
