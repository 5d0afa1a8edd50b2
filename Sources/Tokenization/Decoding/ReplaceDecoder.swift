/// `Replace` of `tokenizers` as a decoder: replaces what a pattern matches within each token.
struct ReplaceDecoder: TokenDecoder {
    let replacement: Replace

    func makeStream() -> any TokenStream { WholeTokens(Rewriter(replacement: replacement)) }

    private struct Rewriter: TokenRewriter {
        let replacement: Replace

        func rewrite(_ token: String) -> [String] {
            let scalars = Array(token.unicodeScalars)
            return [String(scalars: replacement.normalize(scalars))]
        }
    }
}
