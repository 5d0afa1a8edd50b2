/// Reads the object at `model.vocab` of a JSON text: its tokens exactly as they are spelled, in
/// their order, and where it stands. All else is passed over and left to `JSONDecoder`.
struct VocabularyExtractor {
    struct Found {
        var tokens: [Piece]
        var range: Range<Int>
    }

    private let bytes: [UInt8]
    private let file: String
    private var position = 0

    init(_ bytes: [UInt8], file: String) {
        self.bytes = bytes
        self.file = file
    }

    /// nil when there is no object at the path, which is the caller's to report.
    func extract(field: String) throws(TokenizerError) -> Found? {
        var reader = self
        for key in field.split(separator: ".") {
            guard try reader.enter(key: String(key)) else { return nil }
        }
        guard reader.peek() == UInt8(ascii: "{") else { return nil }
        let start = reader.position
        let tokens = try reader.readVocabulary(field: field)
        return Found(tokens: tokens, range: start..<reader.position)
    }

    /// Moves to the value of a key of the object that starts here.
    private mutating func enter(key wanted: String) throws(TokenizerError) -> Bool {
        guard peek() == UInt8(ascii: "{") else { return false }
        position += 1
        while peek() == UInt8(ascii: "\"") {
            let key = try readString()
            try expect(":")
            if key == wanted { return true }
            try skipValue()
            guard peek() == UInt8(ascii: ",") else { return false }
            position += 1
        }
        return false
    }

    private mutating func readVocabulary(field: String) throws(TokenizerError) -> [Piece] {
        var tokens: [Piece] = []
        try expect("{")
        if peek() == UInt8(ascii: "}") {
            position += 1
            return tokens
        }
        while true {
            let token = try readString()
            try expect(":")
            tokens.append(Piece(id: try readID(of: token, field: field), token: token))
            guard peek() == UInt8(ascii: ",") else { break }
            position += 1
        }
        try expect("}")
        return tokens
    }

    /// Reads an id, which `tokenizers` holds in 32 bits without a sign.
    private mutating func readID(of token: String, field: String) throws(TokenizerError) -> Int {
        _ = peek()
        let start = position
        try skipValue()
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        guard let id = UInt32(text), text.utf8.first != UInt8(ascii: "+") else {
            throw .invalidValue(
                file: file, field: "\(field).\(token)", found: String(text.prefix(40)),
                expected: "an integer from 0 to \(UInt32.max)")
        }
        return Int(id)
    }

    /// The next byte that is no white space.
    private mutating func peek() -> UInt8? {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x9, 0xA, 0xD: position += 1
            default: return bytes[position]
            }
        }
        return nil
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(TokenizerError) {
        guard peek() == UInt8(ascii: character) else { throw unexpected("a '\(character)'") }
        position += 1
    }

    private func unexpected(_ wanted: String) -> TokenizerError {
        .invalidJSON(file: file, reason: "\(wanted) should stand at byte \(position).")
    }

    /// Passes over one value, without a check of what nests in it.
    private mutating func skipValue() throws(TokenizerError) {
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

    /// Leaves the position behind the closing quote.
    private mutating func skipString() throws(TokenizerError) {
        try expect("\"")
        while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
            guard bytes[position] >= 0x20 else { throw unexpected("an escaped control character") }
            position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard position < bytes.count else { throw unexpected("a closing '\"'") }
        position += 1
    }

    private mutating func readString() throws(TokenizerError) -> String {
        guard peek() == UInt8(ascii: "\"") else { throw unexpected("a '\"'") }
        let start = position + 1
        try skipString()
        let body = bytes[start..<position - 1]
        guard body.contains(UInt8(ascii: "\\")) else {
            return String(decoding: body, as: UTF8.self)
        }
        guard let text = Self.unescaped(body) else {
            position = start
            throw unexpected("a string with valid escapes")
        }
        return text
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
