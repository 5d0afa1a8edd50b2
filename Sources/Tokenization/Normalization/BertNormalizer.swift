/// `BertNormalizer` of `tokenizers` (`normalizers/bert.rs`), step by step in its order.
struct BertNormalizer: Normalizer {
    var cleansText = true
    var separatesChinese = true
    /// nil follows `lowercases`, as in the original BERT.
    var stripsAccents: Bool?
    var lowercases = true

    func normalize(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var text = text
        if cleansText { text = cleaned(text) }
        if separatesChinese, text.contains(where: \.isBertChinese) { text = separated(text) }
        if stripsAccents ?? lowercases {
            text = UnicodeNormalization(form: .nfd).normalize(text)
            text.removeAll { $0.value >= 0x300 && ScalarSet.nonspacingMarks.contains($0) }
        }
        if lowercases { text = Lowercase().normalize(text) }
        return text
    }

    private func cleaned(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(text.count)
        for scalar in text {
            switch scalar.value {
            case 0x20...0x7E: result.append(scalar)
            default:
                if ScalarSet.removedByCleanText.contains(scalar) { continue }
                result.append(scalar.isRustWhitespace ? " " : scalar)
            }
        }
        return result
    }

    private func separated(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(text.count * 3)
        for scalar in text {
            if scalar.isBertChinese {
                result.append(" ")
                result.append(scalar)
                result.append(" ")
            } else {
                result.append(scalar)
            }
        }
        return result
    }
}
