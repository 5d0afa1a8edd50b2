/// Two neighbouring symbols that would make a piece: the one of the best score comes first, and of
/// these the leftmost.
struct MergeCandidate: Prioritized {
    let score: Float
    let left: Int32
    let right: Int32
    /// Where the piece would end, which tells whether the symbols are still those meant.
    let end: Int
    let node: ScalarTrie.Node

    func comes(before other: MergeCandidate) -> Bool {
        score > other.score || (score == other.score && left < other.left)
    }
}
