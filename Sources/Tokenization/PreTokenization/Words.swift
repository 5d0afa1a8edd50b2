/// A text on its way through the pre-tokenizers: scalars, and the words that they are cut into.
///
/// Words are ranges of one array and no arrays of their own, for there are many. They are in
/// order and never empty; what lies between them was removed.
struct Words: Sendable {
    private(set) var scalars: [Unicode.Scalar]
    private(set) var ranges: [Range<Int>]
    /// How many scalars stand for the first one of the text as given: none behind an added token.
    private(set) var opening: Int

    /// One word: the whole text, if it is not empty.
    init(_ scalars: [Unicode.Scalar], opening: Int = 1) {
        self.scalars = scalars
        self.opening = opening
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

    /// Rewrites every word by itself: `body` appends what a word becomes, scalar by scalar, with
    /// what it likes before it. A word that becomes empty is dropped.
    mutating func rewrite(
        _ body: (
            _ text: [Unicode.Scalar], _ word: Range<Int>, _ result: inout [Unicode.Scalar]
        ) -> Void
    ) {
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(scalars.count + scalars.count / 4 + ranges.count)
        var rewritten: [Range<Int>] = []
        rewritten.reserveCapacity(ranges.count)
        var newOpening = 0
        for word in ranges {
            let start = result.count
            if word.lowerBound < opening {
                body(scalars, word.lowerBound..<min(opening, word.upperBound), &result)
                newOpening = result.count
                result.removeSubrange(start...)
            }
            body(scalars, word, &result)
            if result.count > start { rewritten.append(start..<result.count) }
        }
        scalars = result
        ranges = rewritten
        opening = newOpening
    }
}
