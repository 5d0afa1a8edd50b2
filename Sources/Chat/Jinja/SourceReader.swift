/// A template's text, read scalar by scalar. Every end of a line is a single newline, and the last
/// one is no part of the template.
struct SourceReader {
    private let scalars: String.UnicodeScalarView
    private(set) var position: String.Index
    /// Counted from 1.
    private(set) var line = 1

    init(_ source: String) {
        var scalars = String.UnicodeScalarView()
        var endedLine = false
        for scalar in source.unicodeScalars {
            if !(endedLine && scalar == "\n") { scalars.append(scalar == "\r" ? "\n" : scalar) }
            endedLine = scalar == "\r"
        }
        if scalars.last == "\n" { scalars.removeLast() }
        self.scalars = scalars
        position = scalars.startIndex
    }

    var isAtEnd: Bool { position == scalars.endIndex }

    func peek(_ distance: Int = 0) -> Unicode.Scalar? {
        var index = position
        for _ in 0..<distance where index != scalars.endIndex {
            index = scalars.index(after: index)
        }
        return index == scalars.endIndex ? nil : scalars[index]
    }

    var previous: Unicode.Scalar? {
        position == scalars.startIndex ? nil : scalars[scalars.index(before: position)]
    }

    func has(_ text: String, at distance: Int = 0) -> Bool {
        text.unicodeScalars.enumerated().allSatisfy { peek(distance + $0.offset) == $0.element }
    }

    func text(from start: String.Index) -> Substring.UnicodeScalarView {
        Substring(scalars[start..<position]).unicodeScalars
    }

    mutating func skip(_ count: Int) {
        for _ in 0..<count where !isAtEnd {
            if scalars[position] == "\n" { line += 1 }
            position = scalars.index(after: position)
        }
    }

    mutating func skip(while holds: (Unicode.Scalar) -> Bool) {
        while let scalar = peek(), holds(scalar) { skip(1) }
    }

    mutating func skipSpace() { skip(while: \.isPythonSpace) }

    /// The sign behind a tag's opening, which says whether white space before it stays.
    mutating func skipSign() -> Unicode.Scalar? {
        guard let sign = peek(), sign == "-" || sign == "+" else { return nil }
        skip(1)
        return sign
    }
}

extension Unicode.Scalar {
    /// Whether Python's `str.isspace` and its `\s` count it as white space.
    var isPythonSpace: Bool {
        switch value {
        case 9...13, 28...32, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F,
            0x3000:
            true
        default: false
        }
    }

    var isASCIIDigit: Bool { "0"..."9" ~= self }

    fileprivate var startsName: Bool {
        "a"..."z" ~= self || "A"..."Z" ~= self || self == "_"
    }
}

extension SourceReader {
    /// What is within a tag, from the longest spelling to the shortest.
    private static let symbols = [
        "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{",
        "}", ">", "<", "=", ".", ":", "|", ",", ";",
    ]

    /// The next token within a tag; nil at the end of the template.
    mutating func tagToken() throws(Fault) -> Token.Kind? {
        guard let first = peek() else { return nil }
        if first.isASCIIDigit { return try numberToken() }
        if first.startsName {
            let start = position
            skip { $0.startsName || $0.isASCIIDigit }
            return .name(String(text(from: start)))
        }
        if first == "'" || first == "\"" { return try .string(stringToken(first)) }
        guard let symbol = Self.symbols.first(where: { has($0) }) else {
            throw .syntax("unexpected character '\(first)'", line: line)
        }
        skip(symbol.unicodeScalars.count)
        return .symbol(symbol)
    }

    private mutating func stringToken(_ quote: Unicode.Scalar) throws(Fault) -> String {
        let (startLine, start) = (line, position)
        skip(1)
        while let scalar = peek(), scalar != quote { skip(scalar == "\\" ? 2 : 1) }
        guard !isAtEnd else {
            throw .syntax("the string has no end \(quote)", line: startLine)
        }
        skip(1)
        return try StringLiteral.value(of: text(from: start).dropFirst().dropLast(), startLine)
    }

    /// Digits, which single underscores may part.
    private mutating func skipDigits(_ isDigit: (Unicode.Scalar) -> Bool = \.isASCIIDigit) {
        while let scalar = peek() {
            if isDigit(scalar) {
                skip(1)
            } else if scalar == "_", let next = peek(1), isDigit(next) {
                skip(2)
            } else {
                return
            }
        }
    }

    private mutating func numberToken() throws(Fault) -> Token.Kind {
        let (start, startLine, behindDot) = (position, line, previous == ".")
        if peek() == "0", let (radix, isDigit) = prefixedRadix() {
            skip(2)
            skipDigits(isDigit)
            let digits = text(from: start).dropFirst(2).filter { $0 != "_" }
            return try .integer(Self.integer(String(digits), radix, startLine))
        }
        skipDigits()
        let whole = String(text(from: start).filter { $0 != "_" })
        if !behindDot {
            skipFraction()
            skipExponent()
            let all = String(text(from: start).filter { $0 != "_" })
            if all != whole { return .number(Double(all) ?? .infinity) }
        }
        guard whole.first != "0" || whole.allSatisfy({ $0 == "0" }) else {
            throw .syntax("the number \(whole) begins with 0", line: startLine)
        }
        return try .integer(Self.integer(whole, 10, startLine))
    }

    private mutating func skipFraction() {
        guard peek() == ".", let digit = peek(1), digit.isASCIIDigit else { return }
        skip(1)
        skipDigits()
    }

    private mutating func skipExponent() {
        guard peek() == "e" || peek() == "E" else { return }
        let signed = peek(1) == "+" || peek(1) == "-"
        guard let digit = peek(signed ? 2 : 1), digit.isASCIIDigit else { return }
        skip(signed ? 2 : 1)
        skipDigits()
    }

    private func prefixedRadix() -> (Int, (Unicode.Scalar) -> Bool)? {
        let (radix, isDigit): (Int, (Unicode.Scalar) -> Bool)
        switch peek(1) {
        case "x", "X": (radix, isDigit) = (16, { $0.properties.isASCIIHexDigit })
        case "o", "O": (radix, isDigit) = (8, { "0"..."7" ~= $0 })
        case "b", "B": (radix, isDigit) = (2, { $0 == "0" || $0 == "1" })
        default: return nil
        }
        guard let digit = peek(2), isDigit(digit) else { return nil }
        return (radix, isDigit)
    }

    private static func integer(
        _ digits: String, _ radix: Int, _ line: Int
    ) throws(Fault) -> Int {
        guard let value = Int(digits, radix: radix) else {
            throw .unsupported("numbers as large as \(digits)", line: line)
        }
        return value
    }
}
