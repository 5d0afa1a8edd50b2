/// Applies one normalizer after the other: `normalizers.Sequence` of `tokenizers`.
struct NormalizerSequence: Normalizer {
    let normalizers: [any Normalizer]

    func normalize(_ text: [Unicode.Scalar]) throws(RegexError) -> [Unicode.Scalar] {
        var text = text
        for normalizer in normalizers { text = try normalizer.normalize(text) }
        return text
    }

    func normalize(
        _ text: [Unicode.Scalar], startsText: Bool
    ) throws(RegexError) -> [Unicode.Scalar] {
        var text = text
        for normalizer in normalizers {
            text = try normalizer.normalize(text, startsText: startsText)
        }
        return text
    }

    func opening(_ opening: Int, of text: [Unicode.Scalar]) throws(RegexError) -> Int {
        var (opening, text) = (opening, text)
        for normalizer in normalizers {
            opening = try normalizer.opening(opening, of: text)
            text = try normalizer.normalize(text)
        }
        return opening
    }
}
