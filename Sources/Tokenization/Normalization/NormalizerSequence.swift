/// Applies one normalizer after the other: `normalizers.Sequence` of `tokenizers`.
struct NormalizerSequence: Normalizer {
    let normalizers: [any Normalizer]

    func normalize(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        normalizers.reduce(text) { $1.normalize($0) }
    }

    func normalize(_ text: [Unicode.Scalar], startsText: Bool) -> [Unicode.Scalar] {
        normalizers.reduce(text) { $1.normalize($0, startsText: startsText) }
    }

    func opening(_ opening: Int, of text: [Unicode.Scalar]) -> Int {
        normalizers.reduce((opening, text)) { before, normalizer in
            (normalizer.opening(before.0, of: before.1), normalizer.normalize(before.1))
        }.0
    }
}
