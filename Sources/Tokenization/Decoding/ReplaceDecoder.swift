/// `Replace` of `tokenizers` as a decoder: replaces what a pattern matches within each token.
struct ReplaceDecoder: TokenDecoder {
    let replacement: Replace

    func makeStream() -> any TokenStream { WholeTokens(Rewriter(replacement: replacement)) }

    private struct Rewriter: TokenRewriter {
        let replacement: Replace

        func rewrite(_ token: String) -> [String] {
            let scalars = Array(token.unicodeScalars)
            // A token on which the pattern takes too long stays as it is.
            return [(try? replacement.normalize(scalars)).map(String.init(scalars:)) ?? token]
        }
    }
}
