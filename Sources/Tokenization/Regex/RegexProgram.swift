/// A pattern in the form that is run: instructions that a backtracking matcher follows.
struct RegexProgram: Sendable {
    enum Instruction: Sendable {
        case scalar(UInt32)
        case set(Int)
        /// The whole repetition of a set in one step, with at most one entry on the stack.
        case repeatSet(Int, least: Int, most: Int, RegexGreed)
        /// Goes on at the first place, and at the second if that fails.
        case split(Int, Int)
        /// Goes on at the branches that the next scalar can begin, one after the other.
        case dispatch(Int)
        case jump(Int)
        /// The instructions up to `end` must match here without going on, or must not.
        case look(isAhead: Bool, isNegated: Bool, least: Int, most: Int, end: Int)
        /// The instructions up to `end` match once or not at all.
        case atomic(end: Int)
        case anchor(RegexAnchor)
        case accept
    }

    var instructions: [Instruction] = []
    /// The sets: which scalars of the first plane are members, a bit each, and the whole set.
    private(set) var bitmaps: [UInt64] = []
    private(set) var sets: [ScalarSet] = []
    /// Per dispatch and kind of scalar a bit for each branch that it can begin.
    var dispatchMasks: [UInt64] = []
    var dispatchTargets: [[Int]] = []
    /// What a match can begin with.
    var beginnings = RegexBeginnings.none

    /// The words of 64 bits that a set's bitmap has.
    static let bitmapWords = 0x10000 / 64

    /// The number of a set, which is stored once.
    mutating func number(of set: ScalarSet) -> Int {
        if let known = sets.firstIndex(of: set) { return known }
        sets.append(set)
        var words = [UInt64](repeating: 0, count: Self.bitmapWords)
        for range in set.ranges where range.lowerBound < 0x10000 {
            for value in range.lowerBound...min(range.upperBound, 0xFFFF) {
                words[Int(value >> 6)] |= 1 << UInt64(value & 63)
            }
        }
        bitmaps += words
        return sets.count - 1
    }
}

extension RegexNode {
    var beginnings: RegexBeginnings {
        switch self {
        case .empty, .look, .anchor: RegexBeginnings(isEmpty: true)
        case .scalars(let set): RegexBeginnings(set)
        case .sequence(let nodes):
            nodes.reduce(RegexBeginnings(isEmpty: true)) { $0.followed(by: $1.beginnings) }
        case .alternation(let nodes):
            nodes.reduce(.none) { $0.union($1.beginnings) }
        case .repetition(let node, let least, let most, _):
            most == 0
                ? RegexBeginnings(isEmpty: true)
                : node.beginnings.union(RegexBeginnings(isEmpty: least == 0))
        case .atomic(let node): node.beginnings
        }
    }
}
