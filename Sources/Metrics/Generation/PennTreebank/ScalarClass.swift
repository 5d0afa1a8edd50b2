/// A set of characters, quick to ask for ASCII.
struct ScalarClass: Sendable {
    private let low: UInt64
    private let high: UInt64
    /// Decides for what is not ASCII.
    private let others: @Sendable (Unicode.Scalar) -> Bool

    init(
        _ characters: String = "", _ ranges: ClosedRange<Unicode.Scalar>...,
        others: (@Sendable (Unicode.Scalar) -> Bool)? = nil
    ) {
        let single = Array(characters.unicodeScalars)
        let nonASCII = single.filter { !$0.isASCII }
        let wide = ranges.filter { !$0.upperBound.isASCII }
        self.init(
            ascii: { scalar in single.contains(scalar) || ranges.contains { $0 ~= scalar } },
            others: { scalar in
                nonASCII.contains(scalar) || wide.contains { $0 ~= scalar }
                    || others?(scalar) == true
            })
    }

    private init(
        ascii: (Unicode.Scalar) -> Bool, others: @escaping @Sendable (Unicode.Scalar) -> Bool
    ) {
        func bits(from first: UInt8) -> UInt64 {
            (0..<64).reduce(0) { bits, bit in
                ascii(Unicode.Scalar(first + UInt8(bit))) ? bits | 1 << UInt64(bit) : bits
            }
        }
        (low, high) = (bits(from: 0), bits(from: 64))
        self.others = others
    }

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        let value = scalar.value
        if value < 64 { return low >> UInt64(value) & 1 == 1 }
        if value < 128 { return high >> UInt64(value - 64) & 1 == 1 }
        return others(scalar)
    }

    /// Every character that is not in the class.
    var inverted: ScalarClass {
        ScalarClass(ascii: { !contains($0) }, others: { !contains($0) })
    }

    static func + (a: ScalarClass, b: ScalarClass) -> ScalarClass {
        let contains: @Sendable (Unicode.Scalar) -> Bool = { a.contains($0) || b.contains($0) }
        return ScalarClass(ascii: contains, others: contains)
    }

    /// Every character but those of a text.
    static func except(_ characters: String) -> ScalarClass { ScalarClass(characters).inverted }
}

extension ScalarClass {
    static let capital = ScalarClass("", "A"..."Z")
    static let small = ScalarClass("", "a"..."z")
    static let latin = capital + small
    static let number = ScalarClass("", "0"..."9")
    static let latinOrNumber = latin + number

    /// What Unicode calls a letter, within the basic plane: beyond it the reference sees halves of
    /// characters, which are no letters.
    static let letter = ScalarClass("", "A"..."Z", "a"..."z") {
        $0.isInBasicPlane && $0.properties.isLetter
    }
    static let digit = ScalarClass("", "0"..."9") {
        $0.isInBasicPlane && $0.properties.generalCategory == .decimalNumber
    }
    static let letterOrDigit = letter + digit
    /// What is inside a word: a letter, a mark on one, or a soft hyphen.
    static let wordLetter =
        letter
        + ScalarClass("\u{AD}") {
            switch $0.properties.generalCategory {
            case .nonspacingMark, .spacingMark: $0.isInBasicPlane
            default: "\u{2C2}"..."\u{2FF}" ~= $0
            }
        }
    static let space = ScalarClass(
        " \t\u{A0}\u{3000}", "\u{2000}"..."\u{200A}")
    static let lineEnd = ScalarClass("\r\n\u{B}\u{C}\u{85}\u{2028}\u{2029}")
    static let blank = space + lineEnd
    static let any = ScalarClass.except("")
}

extension Unicode.Scalar {
    fileprivate var isInBasicPlane: Bool { value <= 0xFFFF }
}

extension Unicode.Scalar.Properties {
    fileprivate var isLetter: Bool {
        switch generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
            true
        default: false
        }
    }
}
