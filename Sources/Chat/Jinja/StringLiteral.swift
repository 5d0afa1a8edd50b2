/// The text between a string's quotes, with Python's escapes.
enum StringLiteral {
    static func value(
        of text: Substring.UnicodeScalarView, _ line: Int
    ) throws(Fault) -> String {
        var remaining = text
        var value = String.UnicodeScalarView()
        while let scalar = remaining.popFirst() {
            guard scalar == "\\" else {
                value.append(scalar)
                continue
            }
            guard let escape = remaining.popFirst() else { break }
            if let plain = simple[escape] {
                value.append(plain)
            } else if let digits = lengths[escape] {
                value.append(try code(&remaining, digits, escape, line))
            } else if "0"..."7" ~= escape {
                value.append(octal(escape, &remaining))
            } else if escape == "N" {
                throw .unsupported("the escape '\\N' in strings", line: line)
            } else if escape != "\n" {
                value.append(contentsOf: [scalar, escape])
            }
        }
        return String(value)
    }

    private static let simple: [Unicode.Scalar: Unicode.Scalar] = [
        "n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", "\"": "\"", "a": "\u{7}",
        "b": "\u{8}", "f": "\u{C}", "v": "\u{B}",
    ]
    /// Hexadecimal digits behind a letter.
    private static let lengths: [Unicode.Scalar: Int] = ["x": 2, "u": 4, "U": 8]

    private static func code(
        _ remaining: inout Substring.UnicodeScalarView, _ count: Int, _ letter: Unicode.Scalar,
        _ line: Int
    ) throws(Fault) -> Unicode.Scalar {
        let digits = String(remaining.prefix(count))
        guard digits.utf8.count == count, digits.utf8.allSatisfy({ $0 != 43 && $0 != 45 }),
            let code = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(code)
        else {
            throw .syntax("'\\\(letter)\(digits)' in a string is no character", line: line)
        }
        remaining.removeFirst(count)
        return scalar
    }

    private static func octal(
        _ first: Unicode.Scalar, _ remaining: inout Substring.UnicodeScalarView
    ) -> Unicode.Scalar {
        var code = first.value - 48
        for _ in 0..<2 {
            guard let digit = remaining.first, "0"..."7" ~= digit else { break }
            code = code * 8 + digit.value - 48
            remaining.removeFirst()
        }
        return Unicode.Scalar(code) ?? "\u{FFFD}"
    }
}
