/// Turns ids into text as they come, such as those that a model generates.
///
/// All that `append` and `finish` return joins to what `Tokenizer.decode` makes of the same ids.
/// No piece ends within a character: bytes that may still become one are held back, and U+FFFD
/// stands only for bytes that no longer can. Every id costs about the same.
public struct StreamingDecoder: Sendable {
    private let spellings: TokenSpellings
    private let skipsSpecialTokens: Bool
    private var stream: any TokenStream

    init(spellings: TokenSpellings, skipsSpecialTokens: Bool, decoder: any TokenDecoder) {
        self.spellings = spellings
        self.skipsSpecialTokens = skipsSpecialTokens
        stream = decoder.makeStream()
    }

    /// Takes the next id and returns the text that is certain by now. An id that the tokenizer
    /// does not have is passed over.
    public mutating func append(_ id: Int) -> String {
        guard let token = spellings.decodedSpelling(of: id),
            !(skipsSpecialTokens && spellings.isSpecial(token))
        else { return "" }
        var parts: [TokenPart] = []
        stream.append(TokenPart(text: token, endsToken: true), to: &parts)
        return Self.text(parts)
    }

    /// Returns what was held back. Nothing may be appended afterwards.
    public mutating func finish() -> String {
        var parts: [TokenPart] = []
        stream.finish(&parts)
        return Self.text(parts)
    }

    private static func text(_ parts: [TokenPart]) -> String {
        parts.count == 1 ? parts[0].text : parts.map(\.text).joined()
    }
}
