/// `StripAccents` of `tokenizers`: drops every combining mark, without decomposing first.
struct StripAccents: Normalizer {
    func normalize(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        text.filter { $0.value < 0x300 || !ScalarSet.combiningMarks.contains($0) }
    }
}
