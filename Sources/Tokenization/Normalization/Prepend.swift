/// `Prepend` of `tokenizers`: puts a text before every text that is not empty.
struct Prepend: Normalizer {
    let prefix: [Unicode.Scalar]

    func normalize(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        text.isEmpty ? text : prefix + text
    }

    func opening(_ opening: Int, of text: [Unicode.Scalar]) -> Int {
        opening == 0 ? 0 : prefix.count + opening
    }
}
