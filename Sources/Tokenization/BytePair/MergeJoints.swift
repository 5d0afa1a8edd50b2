/// The neighbours that some merge can bring into one token: between all others a word falls into runs
/// that never touch.
struct MergeJoints: Sendable {
    /// A merge by ids.
    struct Parts {
        let left: Int
        let right: Int
        let result: Int
    }

    /// Pairs of the symbols that words start as; nil where they cannot be told, so that all may join.
    private var pairs: Set<UInt64>?
    /// Whether a merge makes the token of an id.
    private var isMade: [Bool] = []

    init() {}

    /// A token that merges make begins with what its left part begins with, and ends with what its
    /// right part ends with; a merge joins the end of the one to the beginning of the other.
    init(_ merges: [Parts], _ vocabulary: Vocabulary) {
        // Ids far apart have no tables; nor do they occur.
        guard vocabulary.hasDenseIDs else { return }
        isMade = [Bool](repeating: false, count: vocabulary.maximumID + 1)
        for merge in merges { isMade[merge.result] = true }
        guard let ends = ends(merges) else { return }
        var pairs: Set<UInt64> = []
        for merge in merges {
            // A part that no word starts as and that nothing merges into never comes up.
            let (left, right) = (ends.last[merge.left], ends.first[merge.right])
            if left >= 0, right >= 0 { pairs.insert(MergeTable.key(left, right)) }
        }
        self.pairs = pairs
    }

    /// Whether the tokens that two neighbours of a word begin as may come into one. Of a token that a
    /// merge makes as well, nothing is known.
    func mayJoin(_ left: Int, _ right: Int) -> Bool {
        guard let pairs, !isMade[left], !isMade[right] else { return true }
        return pairs.contains(MergeTable.key(left, right))
    }

    /// The first and last symbol of every id, -1 for one that never comes up; nil when an id may begin
    /// or end with several.
    private func ends(_ merges: [Parts]) -> (first: [Int], last: [Int])? {
        // Whatever is not made by a merge may be what a word starts as.
        var first = isMade.enumerated().map { $1 ? -1 : $0 }
        var last = first
        var changes = true
        while changes {
            changes = false
            for merge in merges {
                guard Self.update(&first[merge.result], first[merge.left], &changes),
                    Self.update(&last[merge.result], last[merge.right], &changes)
                else { return nil }
            }
        }
        return (first, last)
    }

    /// False for a second answer.
    private static func update(_ known: inout Int, _ symbol: Int, _ changes: inout Bool) -> Bool {
        if symbol < 0 || symbol == known { return true }
        guard known < 0 else { return false }
        known = symbol
        changes = true
        return true
    }
}
