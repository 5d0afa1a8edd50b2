/// What Python's `str` does, code point by code point: Swift's `String` compares and counts by
/// characters that users perceive.
enum PythonText {
    /// Less than, equal to or greater than 0. UTF-8 is ordered as its code points are.
    static func order(_ left: String, _ right: String) -> Int {
        if left.utf8.elementsEqual(right.utf8) { return 0 }
        return left.utf8.lexicographicallyPrecedes(right.utf8) ? -1 : 1
    }

    /// Where a pattern is first, in time proportional to both lengths.
    static func find(_ pattern: [UInt8], in text: [UInt8]) -> Int? {
        pattern.isEmpty ? 0 : positions(of: pattern, in: text, limit: 1).first
    }

    /// Where a pattern is, from the start and without overlaps.
    static func positions(of pattern: [UInt8], in text: [UInt8], limit: Int = .max) -> [Int] {
        guard !pattern.isEmpty, pattern.count <= text.count, limit > 0 else { return [] }
        // Knuth, Morris and Pratt: how much of the pattern still fits after a byte that does not.
        var borders = [0]
        for index in 1..<pattern.count {
            var border = borders[index - 1]
            while border > 0, pattern[border] != pattern[index] { border = borders[border - 1] }
            borders.append(pattern[border] == pattern[index] ? border + 1 : 0)
        }
        var (starts, matched): ([Int], Int) = ([], 0)
        for (index, byte) in text.enumerated() {
            while matched > 0, pattern[matched] != byte { matched = borders[matched - 1] }
            if pattern[matched] == byte { matched += 1 }
            guard matched == pattern.count else { continue }
            starts.append(index + 1 - pattern.count)
            if starts.count == limit { break }
            matched = 0
        }
        return starts
    }

    static func replaced(_ text: String, _ old: String, _ new: String, limit: Int) -> String {
        let limit = limit < 0 ? .max : limit
        if old.isEmpty { return interleaved(text, new, limit: limit) }
        let bytes = Array(text.utf8)
        var made: [UInt8] = []
        var start = 0
        for position in positions(of: Array(old.utf8), in: bytes, limit: limit) {
            made += bytes[start..<position]
            made += new.utf8
            start = position + old.utf8.count
        }
        return String(decoding: made + bytes[start...], as: UTF8.self)
    }

    /// A text before each code point and at the end.
    private static func interleaved(_ text: String, _ new: String, limit: Int) -> String {
        var made = String.UnicodeScalarView()
        var count = 0
        for scalar in text.unicodeScalars {
            if count < limit { made.append(contentsOf: new.unicodeScalars) }
            count += 1
            made.append(scalar)
        }
        if count < limit { made.append(contentsOf: new.unicodeScalars) }
        return String(made)
    }

    static func stripped(
        _ text: String, _ characters: String?, left: Bool = true, right: Bool = true
    ) -> String {
        let set = characters.map { Set($0.unicodeScalars) }
        func goes(_ scalar: Unicode.Scalar) -> Bool {
            set.map { $0.contains(scalar) } ?? scalar.isPythonSpace
        }
        var remaining = Substring(text).unicodeScalars
        if left { while let first = remaining.first, goes(first) { remaining.removeFirst() } }
        if right { while let last = remaining.last, goes(last) { remaining.removeLast() } }
        return String(remaining)
    }

    /// Python's `repr` of a text.
    static func quoted(_ text: String) -> String {
        let quote: Unicode.Scalar =
            text.unicodeScalars.contains("'") && !text.unicodeScalars.contains("\"") ? "\"" : "'"
        return quoted(text, in: quote) { isPrintable($0) ? nil : escape($0) }
    }

    /// A text between quotes, with backslashes before them, and letters for line ends and tabs.
    /// - Parameter escape: what stands for another character; nil for itself.
    static func quoted(
        _ text: String, in quote: Unicode.Scalar, _ escape: (Unicode.Scalar) -> String?
    ) -> String {
        var made = String.UnicodeScalarView()
        made.append(quote)
        for scalar in text.unicodeScalars {
            switch scalar {
            case quote, "\\": made.append(contentsOf: ["\\", scalar])
            case "\n": made.append(contentsOf: ["\\", "n"])
            case "\r": made.append(contentsOf: ["\\", "r"])
            case "\t": made.append(contentsOf: ["\\", "t"])
            default:
                if let escaped = escape(scalar) {
                    made.append(contentsOf: escaped.unicodeScalars)
                } else {
                    made.append(scalar)
                }
            }
        }
        made.append(quote)
        return String(made)
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        let (letter, width) =
            scalar.value < 0x100 ? ("x", 2) : scalar.value < 0x10000 ? ("u", 4) : ("U", 8)
        return "\\" + letter + hexadecimal(scalar.value, width: width)
    }

    static func hexadecimal(_ value: UInt32, width: Int) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return 32...126 ~= scalar.value }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
            .paragraphSeparator, .spaceSeparator:
            return false
        default: return true
        }
    }

    /// Python's `repr` of a floating-point number: the shortest digits that read back as it.
    static func spelling(of number: Double) -> String {
        guard number.isFinite else {
            return number.isNaN ? "nan" : number < 0 ? "-inf" : "inf"
        }
        let sign = number.sign == .minus ? "-" : ""
        let pieces = "\(number.magnitude)".split(separator: "e")
        let mantissa = pieces[0].split(separator: ".")
        let whole = mantissa[0]
        let fraction = mantissa.count > 1 && mantissa[1] != "0" ? mantissa[1] : ""
        var point = whole.count + (pieces.count > 1 ? Int(pieces[1]) ?? 0 : 0)
        var digits = String(whole + fraction)
        while digits.count > 1, digits.first == "0" {
            digits.removeFirst()
            point -= 1
        }
        while digits.count > 1, digits.last == "0" { digits.removeLast() }
        return sign + placed(digits, point)
    }

    /// Digits with a point behind so many of them, or with an exponent.
    private static func placed(_ digits: String, _ point: Int) -> String {
        if digits == "0" { return "0.0" }
        switch point {
        case -3...0: return "0." + String(repeating: "0", count: -point) + digits
        case 1...16:
            let whole = digits.prefix(point)
            let fraction = digits.dropFirst(point)
            return whole + String(repeating: "0", count: point - whole.count) + "."
                + (fraction.isEmpty ? "0" : fraction)
        default:
            let exponent = point - 1
            let power = "\(abs(exponent))"
            return digits.prefix(1) + (digits.count > 1 ? "." + digits.dropFirst() : "") + "e"
                + (exponent < 0 ? "-" : "+") + (power.count < 2 ? "0" : "") + power
        }
    }
}
