/// How often a repetition tries to repeat: as often as it can, as seldom as it can, or as often
/// as it can without trying less.
enum RegexGreed: Equatable, Sendable { case greedy, lazy, possessive }

enum RegexAnchor: Equatable, Sendable {
    /// `^` and `$`, which in Oniguruma's Ruby syntax are about lines.
    case lineStart, lineEnd
    /// `\A`, `\z`, and `\Z`, which allows a line end behind it.
    case textStart, textEnd, lastLineEnd
    case wordBoundary, notWordBoundary
}

/// A pattern that cannot be used, and why.
struct RegexError: Error, Equatable {
    let reason: String
}
