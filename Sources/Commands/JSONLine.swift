/// A JSON object on one line, written for many lines with long arrays: `JSONSerialization` takes
/// ten times as long as tokenizing does.
struct JSONLine {
    private var bytes: [UInt8] = [UInt8(ascii: "{")]

    /// The object as text.
    var text: String { String(decoding: bytes + [UInt8(ascii: "}")], as: UTF8.self) }

    mutating func set(_ key: String, _ value: String) {
        appendKey(key)
        append(value)
    }

    mutating func set(_ key: String, _ values: [Int]) {
        appendKey(key)
        appendArray(values) { line, value in line.bytes += String(value).utf8 }
    }

    mutating func set(_ key: String, _ values: [String]) {
        appendKey(key)
        appendArray(values) { line, value in line.append(value) }
    }

    private mutating func appendKey(_ key: String) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        append(key)
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func appendArray<Element>(
        _ values: [Element], _ append: (inout JSONLine, Element) -> Void
    ) {
        bytes.append(UInt8(ascii: "["))
        for (index, value) in values.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            append(&self, value)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private mutating func append(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case ..<0x20:
                let digits = String(byte, radix: 16)
                bytes += "\\u00\(byte < 16 ? "0" : "")\(digits)".utf8
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
