/// `WordPiece` of `tokenizers` (`decoders/wordpiece.rs`): a token without the prefix that marks
/// the rest of a word begins a new one.
struct WordPieceDecoder: TokenDecoder {
    var prefix = "##"
    /// Whether spaces before punctuation and English contractions are taken out again.
    var cleansUp = true

    func makeStream() -> any TokenStream { WholeTokens(Rewriter(decoder: self)) }

    /// The replacements of `tokenizers`, which it makes within each token by itself.
    static func cleanedUp(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: " ")) else { return text }
        let replacements = [
            (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"),
            (" 'm", "'m"), (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
        ]
        return replacements.reduce(text) { $0.replacingExactly($1.0, with: $1.1) }
    }

    private struct Rewriter: TokenRewriter {
        let decoder: WordPieceDecoder
        var isFirst = true

        mutating func rewrite(_ token: String) -> [String] {
            var result = token
            if !isFirst { result = token.droppingExactPrefix(decoder.prefix) ?? " " + token }
            isFirst = false
            return [decoder.cleansUp ? WordPieceDecoder.cleanedUp(result) : result]
        }
    }
}
