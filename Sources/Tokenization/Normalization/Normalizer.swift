/// The first stage: rewrites a text before it is split into words.
///
/// Text travels between the stages as Unicode scalars, never as `String`: `String` compares by
/// canonical equivalence and takes CR LF for one character, while `tokenizers` works on `char`s.
protocol Normalizer: Sendable {
    func normalize(_ text: [Unicode.Scalar]) throws(RegexError) -> [Unicode.Scalar]

    /// Normalizes a stretch between added tokens, for a normalizer to which it matters whether
    /// that stretch starts the text.
    func normalize(
        _ text: [Unicode.Scalar], startsText: Bool
    ) throws(RegexError) -> [Unicode.Scalar]

    /// How many scalars at the start of the normalized text stand for the first `opening` of a text:
    /// `tokenizers` knows the beginning of a text by where its parts come from.
    func opening(_ opening: Int, of text: [Unicode.Scalar]) throws(RegexError) -> Int
}

extension Normalizer {
    func normalize(
        _ text: [Unicode.Scalar], startsText: Bool
    ) throws(RegexError) -> [Unicode.Scalar] {
        try normalize(text)
    }

    func opening(_ opening: Int, of text: [Unicode.Scalar]) throws(RegexError) -> Int {
        opening == 0 ? 0 : try normalize(Array(text.prefix(opening))).count
    }
}
