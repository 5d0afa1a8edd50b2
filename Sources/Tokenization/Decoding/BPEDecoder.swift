/// `BPEDecoder` of `tokenizers` (`decoders/bpe.rs`): the suffix that marks the end of a word
/// becomes a space, but nothing at the end of the text.
struct BPEDecoder: TokenDecoder {
    let suffix: String

    func makeStream() -> any TokenStream { WholeTokens(Rewriter(suffix: suffix)) }

    private struct Rewriter: TokenRewriter {
        let suffix: String
        /// The last token so far: whether another follows decides about its suffix.
        var held: String?

        mutating func rewrite(_ token: String) -> [String] {
            defer { held = token }
            return held.map { [$0.replacingExactly(suffix, with: " ")] } ?? []
        }

        mutating func finish() -> [String] {
            held.map { [$0.replacingExactly(suffix, with: "")] } ?? []
        }
    }
}
