/// WordPiece as in `tokenizers` (`models/wordpiece/mod.rs`): greedily the longest token from the
/// left; what continues a word is looked up behind a prefix. A word that cannot be covered, or
/// that is longer than the limit, is the unknown token as a whole.
struct WordPiece: TokenModel {
    let vocabulary: Vocabulary
    let unknownID: Int
    private let maximumWordLength: Int
    /// The vocabulary by scalars; the values are ids.
    private let trie: ScalarTrie
    /// Where the tokens that continue a word start; nil when there are none.
    private let continuation: ScalarTrie.Node?

    init(
        vocabulary: Vocabulary, unknownID: Int, continuationPrefix: String = "##",
        maximumWordLength: Int = 100
    ) {
        self.vocabulary = vocabulary
        self.unknownID = unknownID
        self.maximumWordLength = maximumWordLength
        var trie = ScalarTrie(expectedNodes: vocabulary.count * 4)
        vocabulary.forEach { token, id in trie.insert(token.unicodeScalars, value: id) }
        continuation = trie.node(for: continuationPrefix.unicodeScalars)
        self.trie = trie
    }

    func tokenize(_ words: Words, into pieces: inout Pieces) {
        for range in words.ranges { tokenize(words.scalars[range], into: &pieces) }
    }

    private func tokenize(_ word: ArraySlice<Unicode.Scalar>, into pieces: inout Pieces) {
        guard word.count <= maximumWordLength else {
            pieces.append(unknownID)
            return
        }
        let before = pieces.count
        var start = word.startIndex
        var node: ScalarTrie.Node? = ScalarTrie.root
        while start < word.endIndex {
            guard let from = node,
                let match = trie.longestMatch(in: word, at: start, from: from)
            else {
                pieces.truncate(to: before)
                pieces.append(unknownID)
                return
            }
            pieces.append(match.value)
            start = match.end
            node = continuation
        }
    }
}
