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
