/// The way back: rewrites the spellings of tokens so that they join to a text, as the decoders of
/// `tokenizers` do.
///
/// There is one implementation, which takes tokens as they come; decoding a whole list runs it.
/// So a text that is streamed cannot differ from one that is decoded at once.
protocol TokenDecoder: Sendable {
    func makeStream() -> any TokenStream
}

/// A stretch of a token. A decoder that fuses tokens passes its one token on piece by piece.
struct TokenPart: Equatable, Sendable {
    var text: String
    var endsToken: Bool
}
