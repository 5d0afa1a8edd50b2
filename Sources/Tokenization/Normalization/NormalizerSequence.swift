/// Applies one normalizer after the other: `normalizers.Sequence` of `tokenizers`.
struct NormalizerSequence: Normalizer {
    let normalizers: [any Normalizer]

    func normalize(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        normalizers.reduce(text) { $1.normalize($0) }
    }

    func normalize(_ text: [Unicode.Scalar], startsText: Bool) -> [Unicode.Scalar] {
        normalizers.reduce(text) { $1.normalize($0, startsText: startsText) }
    }
}
