/// A decoder's rule for one whole token after the other.
protocol TokenRewriter: Sendable {
    /// What the next token becomes: tokens that are certain by now, possibly none.
    mutating func rewrite(_ token: String) -> [String]

    /// Tokens that were held back.
    mutating func finish() -> [String]
}

extension TokenRewriter {
    mutating func finish() -> [String] { [] }
}
