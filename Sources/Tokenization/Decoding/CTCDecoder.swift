/// `CTC` of `tokenizers` (`decoders/ctc.rs`): of a token that is repeated one stays, the padding
/// token goes, and a delimiter becomes a space (though only when it cleans up).
struct CTCDecoder: TokenDecoder {
    let paddingToken: String
    let wordDelimiter: String
    let cleansUp: Bool

    func makeStream() -> any TokenStream { WholeTokens(Rewriter(decoder: self)) }

    private struct Rewriter: TokenRewriter {
        let decoder: CTCDecoder
        var previous: String?

        mutating func rewrite(_ token: String) -> [String] {
            if let previous, previous.utf8.elementsEqual(token.utf8) { return [] }
            previous = token
            var result = token.replacingExactly(decoder.paddingToken, with: "")
            if decoder.cleansUp {
                result = WordPieceDecoder.cleanedUp(result)
                    .replacingExactly(decoder.wordDelimiter, with: " ")
            }
            return result.isEmpty ? [] : [result]
        }
    }
}
