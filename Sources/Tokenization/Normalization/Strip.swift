/// `Strip` of `tokenizers` as a normalizer: takes white space off the ends.
struct Strip: Normalizer {
    let stripsLeft: Bool
    let stripsRight: Bool

    func normalize(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var kept = text[...]
        if stripsLeft { kept = kept.drop(while: \.isRustWhitespace) }
        while stripsRight, let last = kept.last, last.isRustWhitespace { kept.removeLast() }
        return Array(kept)
    }

    func opening(_ opening: Int, of text: [Unicode.Scalar]) -> Int {
        guard stripsLeft else { return opening }
        return max(0, opening - text.prefix(while: \.isRustWhitespace).count)
    }
}
