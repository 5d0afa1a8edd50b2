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
