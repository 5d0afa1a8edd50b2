/// Reads JSON byte by byte, for the large tables of a tokenizer: strings come out exactly as they
/// are spelled, in their order, and no value is made of what is passed over.
struct JSONScanner {
    let bytes: [UInt8]
    let file: String
    private(set) var position = 0

    init(_ bytes: [UInt8], file: String) {
        self.bytes = bytes
        self.file = file
    }

    /// Reads the object that starts here; `body` must read the value of each key.
    mutating func readObject(
        _ body: (_ key: ArraySlice<UInt8>, inout JSONScanner) throws(TokenizerError) -> Void
    ) throws(TokenizerError) {
        try readMembers(from: "{", to: "}") { (scanner) throws(TokenizerError) in
            let key = try scanner.readString()
            try scanner.expect(":")
            try body(key, &scanner)
        }
    }

    /// Reads the array that starts here; `body` must read each value.
    mutating func readArray(
        _ body: (inout JSONScanner) throws(TokenizerError) -> Void
    ) throws(TokenizerError) {
        try readMembers(from: "[", to: "]", body)
    }

    private mutating func readMembers(
        from opening: Unicode.Scalar, to closing: Unicode.Scalar,
        _ body: (inout JSONScanner) throws(TokenizerError) -> Void
    ) throws(TokenizerError) {
        try expect(opening)
        if peek() == UInt8(ascii: closing) {
            position += 1
            return
        }
        while true {
            try body(&self)
            guard peek() == UInt8(ascii: ",") else { break }
            position += 1
        }
        try expect(closing)
    }

    /// The text of the value that starts here, such as a number.
    mutating func readLiteral() throws(TokenizerError) -> Substring {
        _ = peek()
        let start = position
        try skipValue()
        return Substring(String(decoding: bytes[start..<position], as: UTF8.self))
    }

    /// Reads a number that `tokenizers` holds in 32 bits without a sign.
    mutating func readID(of token: ArraySlice<UInt8>, field: String) throws(TokenizerError) -> Int {
        _ = peek()
        var value = 0
        var end = position
        while end < bytes.count, end < position + 10, case 0x30...0x39 = bytes[end] {
            value = 10 * value + Int(bytes[end] & 0xF)
            end += 1
        }
        let isWhole = end > position && (end == bytes.count || Self.endsLiteral(bytes[end]))
        guard isWhole, value <= Int(UInt32.max) else {
            throw .invalidValue(
                file: file, field: "\(field).\(String(decoding: token, as: UTF8.self))",
                found: String(try readLiteral().prefix(40)),
                expected: "an integer from 0 to \(UInt32.max)")
        }
        position = end
        return value
    }

    /// The next byte that is no white space.
    mutating func peek() -> UInt8? {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x9, 0xA, 0xD: position += 1
            default: return bytes[position]
            }
        }
        return nil
    }

    mutating func expect(_ character: Unicode.Scalar) throws(TokenizerError) {
        guard peek() == UInt8(ascii: character) else { throw unexpected("a '\(character)'") }
        position += 1
    }

    func unexpected(_ wanted: String) -> TokenizerError {
        .invalidJSON(file: file, reason: "\(wanted) should stand at byte \(position).")
    }

    /// Passes over one value, without a check of what nests in it.
    mutating func skipValue() throws(TokenizerError) {
        var depth = 0
        repeat {
            switch peek() {
            case UInt8(ascii: "\""): try skipString()
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                position += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard depth > 0 else { throw unexpected("a value") }
                depth -= 1
                position += 1
            case UInt8(ascii: ","), UInt8(ascii: ":"):
                guard depth > 0 else { throw unexpected("a value") }
                position += 1
            case .none: throw unexpected("more of a value that is cut off")
            default:
                let start = position
                while position < bytes.count, !Self.endsLiteral(bytes[position]) { position += 1 }
                guard position > start else { throw unexpected("a value") }
            }
        } while depth > 0
    }

    private static func endsLiteral(_ byte: UInt8) -> Bool {
        switch Unicode.Scalar(byte) {
        case "\0"..." ", ",", ":", "{", "}", "[", "]", "\"": true
        default: false
        }
    }

    /// Leaves the position behind the closing quote, and says whether a backslash came before it.
    @discardableResult
    private mutating func skipString() throws(TokenizerError) -> Bool {
        try expect("\"")
        var hasEscape = false
        while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
            guard bytes[position] >= 0x20 else { throw unexpected("an escaped control character") }
            let isEscape = bytes[position] == UInt8(ascii: "\\")
            hasEscape = hasEscape || isEscape
            position += isEscape ? 2 : 1
        }
        guard position < bytes.count else { throw unexpected("a closing '\"'") }
        position += 1
        return hasEscape
    }

    /// The bytes of the string that starts here, its escapes resolved.
    mutating func readString() throws(TokenizerError) -> ArraySlice<UInt8> {
        guard peek() == UInt8(ascii: "\"") else { throw unexpected("a '\"'") }
        let start = position + 1
        let hasEscape = try skipString()
        let body = bytes[start..<position - 1]
        guard hasEscape else { return body }
        guard let text = Self.unescaped(body) else {
            position = start
            throw unexpected("a string with valid escapes")
        }
        return ArraySlice(text.utf8)
    }

    /// Resolves backslashes; nil for an escape that JSON does not have or half a surrogate pair.
    private static func unescaped(_ body: ArraySlice<UInt8>) -> String? {
        let short: [UInt8: UInt16] = [
            0x22: 0x22, 0x5C: 0x5C, 0x2F: 0x2F, 0x62: 0x8, 0x66: 0xC, 0x6E: 0xA, 0x72: 0xD,
            0x74: 0x9,
        ]
        var units: [UInt16] = []
        var rest = body
        while let slash = rest.firstIndex(of: 0x5C) {
            units += String(decoding: rest[..<slash], as: UTF8.self).utf16
            rest = rest[(slash + 1)...]
            guard let kind = rest.popFirst() else { return nil }
            if let unit = short[kind] {
                units.append(unit)
                continue
            }
            let digits = rest.prefix(4)
            guard kind == UInt8(ascii: "u"), digits.count == 4, digits.allSatisfy(isHexDigit),
                let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
            else { return nil }
            units.append(unit)
            rest = rest.dropFirst(4)
        }
        units += String(decoding: rest, as: UTF8.self).utf16
        let text = String(decoding: units, as: UTF16.self)
        return text.utf16.elementsEqual(units) ? text : nil
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        Unicode.Scalar(byte).properties.isASCIIHexDigit
    }
}
