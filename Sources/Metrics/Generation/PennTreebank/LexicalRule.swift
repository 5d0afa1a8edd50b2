/// One kind of token: what it looks like, what must follow it, and what comes of it.
struct LexicalRule: Sendable {
    enum Outcome: Sendable {
        /// The text as it stands.
        case text
        /// The text without so many characters at its end, which are read again.
        case pushingBack(Int)
        case replaced(String)
        /// The text, changed by a function.
        case changed(@Sendable (String) -> String)
        case lineEnd
        case nothing
    }

    let pattern: LexicalPattern
    let following: LexicalPattern?
    let outcome: Outcome
    private let first: ScalarClass?

    init(
        _ pattern: LexicalPattern, before following: LexicalPattern? = nil,
        _ outcome: Outcome = .text
    ) {
        self.pattern = pattern
        self.following = following
        self.outcome = outcome
        first = pattern.firstScalars
    }

    /// Whether a match may begin with a character.
    func mayBegin(with scalar: Unicode.Scalar) -> Bool { first?.contains(scalar) ?? true }

    /// The longest match, and how far it reaches with what follows it.
    func match(in text: [Unicode.Scalar], from start: Int) -> (end: Int, reach: Int)? {
        var best: (end: Int, reach: Int)?
        for end in pattern.ends(in: text, from: start) {
            var reach = end
            if let following {
                guard let farthest = following.ends(in: text, from: end).max() else { continue }
                reach = farthest
            }
            if let best, (reach, end) <= (best.reach, best.end) { continue }
            best = (end, reach)
        }
        return best
    }
}
