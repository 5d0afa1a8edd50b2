/// `Strip` of `tokenizers` as a normalizer: takes white space off the ends.
struct Strip: Normalizer {
    let stripsLeft: Bool
    let stripsRight: Bool

    func normalize(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var rest = text[...]
        if stripsLeft { rest = rest.drop(while: \.isRustWhitespace) }
        while stripsRight, let last = rest.last, last.isRustWhitespace { rest.removeLast() }
        return Array(rest)
    }
}
