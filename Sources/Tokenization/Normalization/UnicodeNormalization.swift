import Foundation

/// `NFD`, `NFC`, `NFKD` and `NFKC` of `tokenizers`, which asks `unicode-normalization-alignments`.
///
/// That crate has the tables of Unicode 9. Decompositions and combining classes never change once
/// a scalar is assigned, so Foundation's newer tables give the same result for every scalar that
/// Unicode 9 had, and for a later one the crate does nothing: it takes it for a starter that
/// composes with nothing. Such scalars are copied, and Foundation normalizes what lies between.
struct UnicodeNormalization: Normalizer {
    enum Form: Sendable { case nfd, nfc, nfkd, nfkc }

    let form: Form

    func normalize(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        guard text.contains(where: { $0.value >= firstAffected }) else { return text }
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(text.count + text.count / 4)
        var run = String.UnicodeScalarView()
        for scalar in text {
            if isInert(scalar) {
                flush(&run, into: &result)
                result.append(scalar)
            } else {
                run.append(scalar)
            }
        }
        flush(&run, into: &result)
        return result
    }

    /// Everything below stays as it is. A composition ends in a mark, so the forms that compose
    /// may start later.
    private var firstAffected: UInt32 {
        switch form {
        case .nfd: 0xC0
        case .nfc: 0x300
        case .nfkd, .nfkc: 0xA0
        }
    }

    /// Whether a scalar neither changes nor lets its neighbours meet.
    private func isInert(_ scalar: Unicode.Scalar) -> Bool {
        switch (form, scalar.value) {
        case (.nfd, ..<0xC0), (.nfkd, ..<0xA0): true
        case (.nfd, 0x3400...0x4DBF), (.nfd, 0x4E00...0x9FFF): true
        case (_, ..<0x300): false
        default: !scalar.isAssigned(byUnicode: 9)
        }
    }

    private func flush(_ run: inout String.UnicodeScalarView, into result: inout [Unicode.Scalar]) {
        guard !run.isEmpty else { return }
        let text = String(run)
        var decomposed =
            switch form {
            case .nfd, .nfc: Array(text.decomposedStringWithCanonicalMapping.unicodeScalars)
            case .nfkd, .nfkc: Array(text.decomposedStringWithCompatibilityMapping.unicodeScalars)
            }
        sortMarks(in: &decomposed)
        switch form {
        case .nfd, .nfkd: result += decomposed
        case .nfc, .nfkc: result += CanonicalComposition.compose(decomposed)
        }
        run = String.UnicodeScalarView()
    }

    /// Puts neighbouring marks into the order of their combining classes (Unicode, D109).
    ///
    /// Foundation on Linux (Swift 6.3) leaves marks unsorted behind a scalar that decomposes into
    /// nothing but marks (U+0F73) or, for compatibility, in two steps (U+1FCE).
    private func sortMarks(in text: inout [Unicode.Scalar]) {
        var start = 0
        while start < text.count {
            guard text[start].combiningClass != 0 else {
                start += 1
                continue
            }
            let end = text[start...].firstIndex { $0.combiningClass == 0 } ?? text.count
            let classes = text[start..<end].map(\.combiningClass)
            if zip(classes, classes.dropFirst()).contains(where: >) {
                let marks = zip(classes, text[start..<end]).enumerated()
                    .sorted { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) }
                text.replaceSubrange(start..<end, with: marks.map(\.element.1))
            }
            start = end
        }
    }
}
