/// A text on its way through the pre-tokenizers: scalars, and the words that they are cut into.
///
/// Words are ranges of one array and no arrays of their own, for there are many. They are in
/// order and never empty; what lies between them was removed.
struct Words: Sendable {
    private(set) var scalars: [Unicode.Scalar]
    private(set) var ranges: [Range<Int>]
    /// Whether the text as given starts here, so that no added token stands before.
    let startsText: Bool

    /// One word: the whole text, if it is not empty.
    init(_ scalars: [Unicode.Scalar], startsText: Bool = true) {
        self.scalars = scalars
        self.startsText = startsText
        ranges = scalars.isEmpty ? [] : [0..<scalars.count]
    }

    /// Cuts every word by itself: `body` appends the parts of a word that stay, in order. Empty
    /// parts are dropped.
    mutating func split(
        _ body: (
            _ text: [Unicode.Scalar], _ word: Range<Int>, _ newWords: inout [Range<Int>]
        ) -> Void
    ) {
        var newWords: [Range<Int>] = []
        newWords.reserveCapacity(max(ranges.count, scalars.count / 4))
        for word in ranges { body(scalars, word, &newWords) }
        if newWords.contains(where: \.isEmpty) { newWords.removeAll(where: \.isEmpty) }
        ranges = newWords
    }

    /// Rewrites every word by itself: `body` appends what a word becomes. A word that becomes
    /// empty is dropped.
    mutating func rewrite(
        _ body: (
            _ text: [Unicode.Scalar], _ word: Range<Int>, _ result: inout [Unicode.Scalar]
        ) -> Void
    ) {
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(scalars.count + scalars.count / 4 + ranges.count)
        var rewritten: [Range<Int>] = []
        rewritten.reserveCapacity(ranges.count)
        for word in ranges {
            let start = result.count
            body(scalars, word, &result)
            if result.count > start { rewritten.append(start..<result.count) }
        }
        scalars = result
        ranges = rewritten
    }
}
