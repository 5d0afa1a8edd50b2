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

/// The scalars that a match can begin with: ASCII one by one, all others as one kind.
struct RegexBeginnings: Equatable, Sendable {
    private var ascii: (UInt64, UInt64) = (0, 0)
    private var other = false
    /// Whether a match can be empty, so that anything may follow, or nothing.
    private(set) var isEmpty = false

    /// The kinds of scalars: one for each of ASCII, for all others, and for the end of the text.
    static let kinds = 130

    @inline(__always)
    static func kind(of scalar: UInt32) -> Int { scalar < 128 ? Int(scalar) : 128 }

    static let none = RegexBeginnings()

    init(isEmpty: Bool = false) {
        self.isEmpty = isEmpty
    }

    init(_ set: ScalarSet) {
        for value in UInt32(0)..<64 where set.contains(value: value) { ascii.0 |= 1 << value }
        for value in UInt32(64)..<128 where set.contains(value: value) {
            ascii.1 |= 1 << (value - 64)
        }
        other = !set.isDisjoint(from: 128...0x10FFFF)
    }

    func contains(kind: Int) -> Bool {
        if isEmpty { return true }
        return switch kind {
        case ..<64: ascii.0 >> UInt64(kind) & 1 == 1
        case ..<128: ascii.1 >> UInt64(kind - 64) & 1 == 1
        default: kind == 128 && other
        }
    }

    /// What either can begin with.
    func union(_ more: RegexBeginnings) -> RegexBeginnings {
        var result = self
        result.ascii = (ascii.0 | more.ascii.0, ascii.1 | more.ascii.1)
        result.other = other || more.other
        result.isEmpty = isEmpty || more.isEmpty
        return result
    }

    /// What this and then the other can begin with.
    func followed(by next: RegexBeginnings) -> RegexBeginnings {
        guard isEmpty else { return self }
        var result = union(next)
        result.isEmpty = next.isEmpty
        return result
    }

    static func == (a: RegexBeginnings, b: RegexBeginnings) -> Bool {
        a.ascii == b.ascii && a.other == b.other && a.isEmpty == b.isEmpty
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
