/// The first stage: rewrites a text before it is split into words.
///
/// Text travels between the stages as Unicode scalars, never as `String`: `String` compares by
/// canonical equivalence and takes CR LF for one character, while `tokenizers` works on `char`s.
protocol Normalizer: Sendable {
    func normalize(_ text: [Unicode.Scalar]) -> [Unicode.Scalar]

    /// Normalizes a stretch between added tokens, for a normalizer to which it matters whether
    /// that stretch starts the text.
    func normalize(_ text: [Unicode.Scalar], startsText: Bool) -> [Unicode.Scalar]
}

extension Normalizer {
    func normalize(_ text: [Unicode.Scalar], startsText: Bool) -> [Unicode.Scalar] {
        normalize(text)
    }
}

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

/// `Lowercase` of `tokenizers`: Rust's `char::to_lowercase` of each scalar by itself, so that a
/// final sigma is like any other.
struct Lowercase: Normalizer {
    func normalize(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(text.count)
        for scalar in text {
            switch scalar.value {
            case 0x41...0x5A: result.append(Unicode.Scalar(UInt8(scalar.value) | 0x20))
            case ..<0x80: result.append(scalar)
            case 0x130: result += ["i", "\u{307}"]
            default: result.append(lowercased(scalar))
            }
        }
        return result
    }

    /// Looks the scalar up in runs of (first, last, stride, distance).
    private func lowercased(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        let runs = UnicodeTables.lowercaseRuns
        let value = Int32(bitPattern: scalar.value)
        var low = 0
        var high = runs.count / 4
        while low < high {
            let middle = (low + high) / 2
            if runs[4 * middle + 1] < value { low = middle + 1 } else { high = middle }
        }
        guard 4 * low < runs.count, runs[4 * low] <= value,
            (value - runs[4 * low]) % runs[4 * low + 2] == 0
        else { return scalar }
        return Unicode.Scalar(UInt32(bitPattern: value + runs[4 * low + 3])) ?? scalar
    }
}

/// `StripAccents` of `tokenizers`: drops every combining mark, without decomposing first.
struct StripAccents: Normalizer {
    func normalize(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        text.filter { $0.value < 0x300 || !ScalarSet.combiningMarks.contains($0) }
    }
}
