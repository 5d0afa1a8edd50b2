/// The way back: rewrites the spellings of tokens so that they join to a text, as the decoders of
/// `tokenizers` do.
///
/// There is one implementation, which takes tokens as they come; decoding a whole list runs it.
/// So a text that is streamed cannot differ from one that is decoded at once.
protocol TokenDecoder: Sendable {
    func makeStream() -> any TokenStream
}

extension TokenDecoder {
    /// What the tokens become; the text is what they join to.
    func decode(_ tokens: [String]) -> [String] {
        var stream = makeStream()
        var parts: [TokenPart] = []
        for token in tokens { stream.append(TokenPart(text: token, endsToken: true), to: &parts) }
        stream.finish(&parts)
        return parts.joinedTokens
    }
}

/// A stretch of a token. A decoder that fuses tokens passes its one token on piece by piece.
struct TokenPart: Equatable, Sendable {
    var text: String
    var endsToken: Bool
}

extension [TokenPart] {
    /// The tokens that the parts make up.
    var joinedTokens: [String] {
        var tokens: [String] = []
        var partial: String?
        for part in self {
            partial = (partial ?? "") + part.text
            if part.endsToken, let token = partial {
                tokens.append(token)
                partial = nil
            }
        }
        if let partial { tokens.append(partial) }
        return tokens
    }
}
