/// Reads values of JSON (RFC 8259) byte by byte and knows the line that it stands on.
///
/// Stricter than the standard where it leaves a choice: a key that comes twice in an object, half of a
/// surrogate pair and values nested more than ``deepest`` times are refused. Large tables are read member by
/// member, with no value made of them: ``readMembers(_:)``, ``readElements(_:)``, ``readText()``.
package struct JSONReader {
    /// How deep lists and objects may nest.
    static let deepest = 64

    private let bytes: [UInt8]
    /// In bytes from the start of the file.
    package private(set) var position: Int
    /// Where reading stops: the end of the file, or of a line.
    private var end: Int
    /// Counted from 1.
    package private(set) var line: Int

    /// - Parameters:
    ///   - bytes: of the whole file, or of a part of it; a byte order mark is passed over.
    ///   - line: where they begin.
    package init(_ bytes: [UInt8], line: Int = 1) {
        self.bytes = bytes
        self.line = line
        end = bytes.count
        position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    /// Reads a text that holds one value and nothing else.
    package static func value(of bytes: [UInt8]) throws(JSONFault) -> JSONValue {
        var reader = JSONReader(bytes)
        let value = try reader.readValue()
        guard reader.peek() == nil else { throw reader.unexpected("the end") }
        return value
    }

    /// The next byte that is no white space; nil at the end.
    package mutating func peek() -> UInt8? {
        while position < end {
            switch bytes[position] {
            case 0xA: line += 1
            case 0x20, 0x9, 0xD: break
            case let byte: return byte
            }
            position += 1
        }
        return nil
    }

    /// Reads the one value of this line and goes on to the next line, also where it throws.
    package mutating func readLine() throws(JSONFault) -> JSONValue {
        end = bytes[position...].firstIndex(of: 0xA) ?? bytes.count
        defer {
            position = min(end + 1, bytes.count)
            end = bytes.count
            line += 1
        }
        let value = try readValue()
        guard peek() == nil else { throw unexpected("the end of the line") }
        return value
    }

    /// Takes a character if it is the next.
    package mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    /// Reads the value that comes next.
    package mutating func readValue() throws(JSONFault) -> JSONValue {
        try readValue(depth: 0)
    }

    private mutating func readValue(depth: Int) throws(JSONFault) -> JSONValue {
        guard let first = peek() else { throw unexpected("a value") }
        guard depth <= Self.deepest else {
            throw bad("lists and objects nest more than \(Self.deepest) times")
        }
        switch Unicode.Scalar(first) {
        case "{": return .object(try readObject(depth: depth))
        case "[": return .array(try readArray(depth: depth))
        case "\"": return .string(try readString())
        case "-", "0"..."9": return .number(try readNumber())
        default: return try readWord()
        }
    }

    private mutating func readObject(depth: Int) throws(JSONFault) -> JSONObject {
        position += 1
        var members: [JSONObject.Member] = []
        var keys = KeySet()
        if take("}") { return JSONObject(members) }
        repeat {
            guard peek() == UInt8(ascii: "\"") else { throw unexpected("a key in quotes") }
            let key = try readString()
            guard keys.insert(key) else {
                throw bad("the key '\(key.excerpt())' comes twice in one object")
            }
            guard take(":") else { throw unexpected("a ':' behind the key '\(key.excerpt())'") }
            members.append(JSONObject.Member(key: key, value: try readValue(depth: depth + 1)))
        } while take(",")
        guard take("}") else { throw unexpected("a ',' or a '}'") }
        return JSONObject(members)
    }

    private mutating func readArray(depth: Int) throws(JSONFault) -> [JSONValue] {
        position += 1
        var values: [JSONValue] = []
        if take("]") { return values }
        repeat { values.append(try readValue(depth: depth + 1)) } while take(",")
        guard take("]") else { throw unexpected("a ',' or a ']'") }
        return values
    }

    private mutating func readWord() throws(JSONFault) -> JSONValue {
        for (word, value) in [
            ("true", JSONValue.bool(true)), ("false", .bool(false)), ("null", .null),
        ]
        where bytes[position...].starts(with: word.utf8) {
            position += word.utf8.count
            return value
        }
        throw unexpected("a value")
    }

    private mutating func readNumber() throws(JSONFault) -> String {
        let start = position
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        let whole = skipDigits()
        let startsWithZero = whole > 1 && bytes[position - whole] == UInt8(ascii: "0")
        var isNumber = whole > 0 && !startsWithZero
        if current == UInt8(ascii: ".") {
            position += 1
            isNumber = skipDigits() > 0 && isNumber
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            position += 1
            if current == UInt8(ascii: "-") || current == UInt8(ascii: "+") { position += 1 }
            isNumber = skipDigits() > 0 && isNumber
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        guard isNumber else { throw bad("'\(text)' is not a number as JSON spells it") }
        return text
    }

    private var current: UInt8? { position < end ? bytes[position] : nil }

    private mutating func skipDigits() -> Int {
        let start = position
        while let byte = current, (0x30...0x39).contains(byte) { position += 1 }
        return position - start
    }

    /// The bytes of the text whose opening quote comes next, and whether there are escapes among them.
    private mutating func scanText() throws(JSONFault) -> (body: ArraySlice<UInt8>, hasEscape: Bool)
    {
        position += 1
        let start = position
        var hasEscape = false
        while let byte = current, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else {
                throw bad("a text has a control character in it; a line end is spelled \\n")
            }
            let isEscape = byte == UInt8(ascii: "\\")
            hasEscape = hasEscape || isEscape
            position += isEscape ? 2 : 1
        }
        guard position < end else {
            position = end
            throw unexpected("the closing quote of a text")
        }
        position += 1
        return (bytes[start..<position - 1], hasEscape)
    }

    private mutating func readString() throws(JSONFault) -> String {
        let (body, hasEscape) = try scanText()
        guard let text = String(validating: body, as: UTF8.self) else {
            throw JSONFault(line: line, reason: .notUTF8)
        }
        return hasEscape ? String(decoding: try unescaped(body), as: UTF8.self) : text
    }

    /// The bytes with escapes resolved.
    private func unescaped(_ body: ArraySlice<UInt8>) throws(JSONFault) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(body.count)
        var remaining = body
        while let slash = remaining.firstIndex(of: UInt8(ascii: "\\")) {
            text += remaining[..<slash]
            remaining = remaining[(slash + 1)...]
            switch Self.escape(&remaining) {
            case .scalar(let scalar): text += scalar.utf8
            case .halfPair(let unit):
                throw bad(
                    "a text has \\u\(String(unit, radix: 16)), half of a surrogate pair, alone; the "
                        + "two halves stand one behind the other")
            case .none: throw bad("a text has a backslash that begins no escape of JSON")
            }
        }
        text += remaining
        return text
    }

    private enum Escape {
        case scalar(Unicode.Scalar)
        /// What is no character without its other half.
        case halfPair(UInt16)
    }

    /// What stands behind a backslash; nil for what JSON does not have.
    private static func escape(_ remaining: inout ArraySlice<UInt8>) -> Escape? {
        guard let kind = remaining.popFirst() else { return nil }
        switch Unicode.Scalar(kind) {
        case "\"", "\\", "/": return .scalar(Unicode.Scalar(kind))
        case "b": return .scalar("\u{8}")
        case "f": return .scalar("\u{C}")
        case "n": return .scalar("\n")
        case "r": return .scalar("\r")
        case "t": return .scalar("\t")
        case "u": break
        default: return nil
        }
        guard let unit = codeUnit(&remaining) else { return nil }
        if let scalar = Unicode.Scalar(unit) { return .scalar(scalar) }
        guard unit < 0xDC00, remaining.popFirst() == UInt8(ascii: "\\"),
            remaining.popFirst() == UInt8(ascii: "u"), let low = codeUnit(&remaining),
            let pair = Unicode.Scalar(high: unit, low: low)
        else { return .halfPair(unit) }
        return .scalar(pair)
    }

    private static func codeUnit(_ remaining: inout ArraySlice<UInt8>) -> UInt16? {
        let digits = remaining.prefix(4)
        guard digits.count == 4,
            digits.allSatisfy({ Unicode.Scalar($0).properties.isASCIIHexDigit })
        else { return nil }
        remaining = remaining.dropFirst(4)
        return UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    }

    // MARK: - Large tables

    /// Reads the object that comes next; `body` reads the value of each key. Keys may come twice.
    package mutating func readMembers(
        _ body: (_ key: ArraySlice<UInt8>, inout JSONReader) throws -> Void
    ) throws {
        guard take("{") else { throw unexpected("a '{'") }
        if take("}") { return }
        repeat {
            let key = try readText()
            guard take(":") else { throw unexpected("a ':' behind a key") }
            try body(key, &self)
        } while take(",")
        guard take("}") else { throw unexpected("a ',' or a '}'") }
    }

    /// Reads the list that comes next; `body` reads each value.
    package mutating func readElements(_ body: (inout JSONReader) throws -> Void) throws {
        guard take("[") else { throw unexpected("a '['") }
        if take("]") { return }
        repeat { try body(&self) } while take(",")
        guard take("]") else { throw unexpected("a ',' or a ']'") }
    }

    /// The bytes of the text that comes next, its escapes resolved. Whether they are UTF-8 is not checked.
    package mutating func readText() throws(JSONFault) -> ArraySlice<UInt8> {
        guard peek() == UInt8(ascii: "\"") else { throw unexpected("a text in quotes") }
        let (body, hasEscape) = try scanText()
        return hasEscape ? try unescaped(body)[...] : body
    }

    /// Takes the number that comes next if it is whole, is not negative and has at most ten digits.
    package mutating func takeWholeNumber() -> Int? {
        _ = peek()
        var (value, stop) = (0, position)
        while stop < end, stop < position + 10, case 0x30...0x39 = bytes[stop] {
            value = 10 * value + Int(bytes[stop] & 0xF)
            stop += 1
        }
        guard stop > position, stop == end || Self.endsNumber(bytes[stop]) else { return nil }
        position = stop
        return value
    }

    private static func endsNumber(_ byte: UInt8) -> Bool {
        switch Unicode.Scalar(byte) {
        case "\0"..." ", ",", "}", "]": true
        default: false
        }
    }

    /// What stands between a position and this one.
    package func spelling(from start: Int) -> String {
        String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private func bad(_ reason: String) -> JSONFault {
        JSONFault(line: line, reason: .malformed(reason))
    }

    /// What is wrong where something else stands, or nothing.
    package mutating func unexpected(_ wanted: String) -> JSONFault {
        guard let byte = peek() else {
            return end < bytes.count
                ? bad(
                    "the line ends where \(wanted) should stand; JSON Lines have one object a line")
                : bad("the file ends where \(wanted) should stand")
        }
        let shown = (0x21...0x7E).contains(byte) ? "'\(Unicode.Scalar(byte))'" : "byte \(byte)"
        return bad("\(shown) stands where \(wanted) should")
    }
}

/// The keys of an object: few of them are compared one by one, which is faster than to hash them.
private struct KeySet {
    private var few: [String] = []
    private var many: Set<String> = []

    /// - Returns: whether the key is new.
    mutating func insert(_ key: String) -> Bool {
        guard few.count == 16 else {
            if few.contains(key) { return false }
            few.append(key)
            return true
        }
        return !few.contains(key) && many.insert(key).inserted
    }
}

extension Unicode.Scalar {
    /// The character of the two halves of a surrogate pair; nil where they are none.
    fileprivate init?(high: UInt16, low: UInt16) {
        guard (0xDC00...0xDFFF).contains(low) else { return nil }
        self.init(0x10000 + (UInt32(high) - 0xD800) << 10 + (UInt32(low) - 0xDC00))
    }
}
