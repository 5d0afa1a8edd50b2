/// Joins tokens with spaces, as `tokenizers` does when it has no decoder.
struct SpacedDecoder: TokenDecoder {
    func makeStream() -> any TokenStream { WholeTokens(Rewriter()) }

    private struct Rewriter: TokenRewriter {
        var isFirst = true

        mutating func rewrite(_ token: String) -> [String] {
            defer { isFirst = false }
            return [isFirst ? token : " " + token]
        }
    }
}
