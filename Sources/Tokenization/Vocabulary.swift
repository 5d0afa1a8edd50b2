/// The tokens of a model and their ids. Tokens are looked up by exact scalars, so a precomposed
/// and a decomposed spelling are two tokens, as they are in `tokenizers`.
struct Vocabulary: Sendable {
    /// One token per entry; the trie's values are indices into this array.
    private(set) var entries: [Piece]
    private var trie: ScalarTrie
    private var entryOfID: [Int: Int]

    /// When a token occurs twice the later id holds, as in a Rust map that is filled in order.
    ///
    /// - Throws: `TokenizerError` for an empty vocabulary, or an id that two tokens share.
    init(_ listed: [Piece], file: String, field: String = "") throws(TokenizerError) {
        entries = listed
        trie = ScalarTrie(expectedNodes: listed.count * 4)
        entryOfID = Dictionary(minimumCapacity: listed.count)
        var replaced: Set<Int> = []
        for (index, entry) in listed.enumerated() {
            let old = trie.insert(entry.token.unicodeScalars, value: index)
            if let old { replaced.insert(old) }
        }
        for (index, entry) in listed.enumerated() where !replaced.contains(index) {
            if let other = entryOfID.updateValue(index, forKey: entry.id) {
                throw .duplicateID(
                    file: file, id: entry.id, first: listed[other].token, second: entry.token)
            }
        }
        if entryOfID.isEmpty { throw .emptyVocabulary(file: file, field: field) }
    }

    var count: Int { entryOfID.count }

    var maximumID: Int { entryOfID.keys.max() ?? -1 }

    func id(for token: String) -> Int? {
        entry(for: token.unicodeScalars)?.id
    }

    func token(for id: Int) -> String? {
        entryOfID[id].map { entries[$0].token }
    }

    func entry(for token: some Sequence<Unicode.Scalar>) -> Piece? {
        trie.node(for: token).flatMap(trie.value(at:)).map { entries[$0] }
    }

    func node(for prefix: some Sequence<Unicode.Scalar>) -> ScalarTrie.Node? {
        trie.node(for: prefix)
    }

    /// The longest token that starts at `start`, the scalars that lead to `node` standing before.
    func longestMatch(
        in text: ArraySlice<Unicode.Scalar>, at start: Int, from node: ScalarTrie.Node
    ) -> (entry: Int, end: Int)? {
        trie.longestMatch(in: text, at: start, from: node).map { ($0.value, $0.end) }
    }
}
