/// The words of BLEU and NIST: the tokenization of mteval-v13a for western languages.
///
/// SGML's escapes of quotes, ampersands and angle brackets are undone; symbols stand alone;
/// full stops and commas too, except between digits; hyphens behind a digit. Everything is made
/// lower case. A text without a word has one word, the empty one.
///
/// Reference: the E2E challenge's `metrics/pymteval.py`, `NGramScore.tokenize`, and
/// `mteval-v13a.pl` before it.
enum ChallengeTokens {
    private typealias Text = [Unicode.Scalar]

    static func words(_ text: String) -> [String] {
        var text = Array(unescaped(text).unicodeScalars)
        text = [" "] + text + [" "]
        text = text.flatMap { isSymbol($0) ? [" ", $0, " "] : [$0] }
        text = replacePairs(text, where: { !isDigit($0) && isStop($1) }) { [$0, " ", $1, " "] }
        text = replacePairs(text, where: { isStop($0) && !isDigit($1) }) { [" ", $0, " ", $1] }
        text = replacePairs(text, where: { isDigit($0) && $1 == "-" }) { [$0, " ", $1, " "] }
        let words = text.split(whereSeparator: isPythonSpace).map { word in
            String(String.UnicodeScalarView(word)).lowercased()
        }
        return words.isEmpty ? [""] : words
    }

    /// Undone one after the other, so that "&amp;lt;" becomes "<".
    private static let escapes = [
        ("<skipped>", ""), ("-\n", ""), ("\n", " "), ("&quot;", "\""), ("&amp;", "&"),
        ("&lt;", "<"), ("&gt;", ">"),
    ]

    private static func unescaped(_ text: String) -> String {
        guard text.utf8.contains(where: { "<&\n".utf8.contains($0) }) else { return text }
        var bytes = Array(text.utf8)
        for (escape, plain) in escapes {
            bytes = replace(Array(escape.utf8), with: Array(plain.utf8), in: bytes)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func replace(
        _ pattern: [UInt8], with replacement: [UInt8], in bytes: [UInt8]
    ) -> [UInt8] {
        var (result, index) = ([UInt8](), 0)
        while index < bytes.count {
            if bytes[index...].starts(with: pattern) {
                result += replacement
                index += pattern.count
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return result
    }

    /// ASCII's symbols without the apostrophe, the comma, the hyphen and the full stop.
    private static func isSymbol(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case " "..."&", "("..."+", "/", ":"..."@", "["..."`", "{"..."~": true
        default: false
        }
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { "0"..."9" ~= scalar }
    private static func isStop(_ scalar: Unicode.Scalar) -> Bool { scalar == "." || scalar == "," }

    /// Replaces pairs from the left, each character in at most one of them.
    private static func replacePairs(
        _ text: Text, where matches: (Unicode.Scalar, Unicode.Scalar) -> Bool,
        with replacement: (Unicode.Scalar, Unicode.Scalar) -> Text
    ) -> Text {
        var result: Text = []
        result.reserveCapacity(text.count + text.count / 4)
        var index = 0
        while index < text.count {
            if index + 1 < text.count, matches(text[index], text[index + 1]) {
                result += replacement(text[index], text[index + 1])
                index += 2
            } else {
                result.append(text[index])
                index += 1
            }
        }
        return result
    }
}

/// What Python's `str.split()` and `\s` take for white space.
func isPythonSpace(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return 9...13 ~= scalar.value || 28...32 ~= scalar.value }
    return scalar.properties.isWhitespace
}
