/// A fixed set of Unicode scalars, kept as an inversion list (see `UnicodeTables`).
struct ScalarSet: Equatable, Sendable {
    let boundaries: [UInt32]

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        contains(value: scalar.value)
    }

    func contains(value: UInt32) -> Bool {
        boundaryCount(upTo: value) & 1 == 1
    }

    /// Whether no scalar of a range is a member.
    func isDisjoint(from range: ClosedRange<UInt32>) -> Bool {
        let count = boundaryCount(upTo: range.lowerBound)
        return count & 1 == 0 && count == boundaryCount(upTo: range.upperBound)
    }

    private func boundaryCount(upTo value: UInt32) -> Int {
        var low = 0
        var high = boundaries.count
        while low < high {
            let middle = (low + high) / 2
            if boundaries[middle] <= value { low = middle + 1 } else { high = middle }
        }
        return low
    }

    static let removedByCleanText = ScalarSet(boundaries: UnicodeTables.removedByCleanText)
    static let nonspacingMarks = ScalarSet(boundaries: UnicodeTables.nonspacingMarks)
    static let combiningMarks = ScalarSet(boundaries: UnicodeTables.combiningMarks)
    static let punctuation = ScalarSet(boundaries: UnicodeTables.punctuation)
    static let numeric = ScalarSet(boundaries: UnicodeTables.numeric)
}

extension Unicode.Scalar {
    /// Rust's `char::is_whitespace`: the property White_Space, which has not changed for years.
    var isRustWhitespace: Bool {
        switch value {
        case 0x9...0xD, 0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F,
            0x205F, 0x3000:
            true
        default: false
        }
    }

    /// BERT's punctuation: the ASCII symbols too, such as `$` and `^`.
    var isBertPunctuation: Bool {
        switch value {
        case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: true
        case ..<0x80: false
        default: ScalarSet.punctuation.contains(self)
        }
    }

    /// Rust's `char::is_numeric`.
    var isRustNumeric: Bool {
        value < 0x80 ? 0x30...0x39 ~= value : ScalarSet.numeric.contains(self)
    }

    /// The blocks that `tokenizers` calls Chinese. It starts the fifth at U+2B920, where the
    /// original BERT code has U+2B820; what lies between stays joined to its neighbours.
    var isBertChinese: Bool {
        switch value {
        case ..<0x3400: false
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F,
            0x2B740...0x2B81F, 0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
            true
        default: false
        }
    }

    /// `\w` of Rust's `regex`: Alphabetic, marks, decimal digits, connectors, joiners. Its tables
    /// are those of Unicode 16, so a scalar assigned later is not yet a word character.
    var isRegexWord: Bool {
        switch value {
        case 0x30...0x39, 0x41...0x5A, 0x5F, 0x61...0x7A: return true
        case ..<0x80: return false
        default: break
        }
        guard isAssigned(byUnicode: 16) else { return false }
        switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation:
            return true
        default: return properties.isAlphabetic || properties.isJoinControl
        }
    }

    /// The property Canonical_Combining_Class; 0 for a starter.
    var combiningClass: UInt8 {
        value < 0x300 ? 0 : properties.canonicalCombiningClass.rawValue
    }

    /// Whether Unicode had assigned this code point by the given major version (its x.0 release).
    func isAssigned(byUnicode major: Int) -> Bool {
        guard let age = properties.age else { return false }
        return age.major < major || (age.major == major && age.minor == 0)
    }
}
