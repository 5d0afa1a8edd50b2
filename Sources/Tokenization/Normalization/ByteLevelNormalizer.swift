/// `ByteLevel` of `tokenizers` as a normalizer: spells bytes as characters.
struct ByteLevelNormalizer: Normalizer {
    func normalize(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(text.count)
        let alphabet = ByteAlphabet.scalars
        for scalar in text { ByteAlphabet.append(scalar, to: &result, alphabet) }
        return result
    }
}
