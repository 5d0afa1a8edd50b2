/// A JSON object on one line, written for many lines with long arrays and for vocabularies:
/// `JSONSerialization` takes ten times as long as tokenizing does.
package struct JSONLine {
    private var bytes: [UInt8] = [UInt8(ascii: "{")]

    package init() {}

    /// The object as text.
    package var text: String { String(decoding: object, as: UTF8.self) }

    /// The same as bytes.
    package var object: [UInt8] { bytes + [UInt8(ascii: "}")] }

    package mutating func set(_ key: String, _ value: String) {
        appendKey(key)
        append(value)
    }

    package mutating func set(_ key: String, _ value: Int) {
        appendKey(key)
        bytes += String(value).utf8
    }

    package mutating func set(_ key: String, _ value: Bool) {
        appendKey(key)
        bytes += String(value).utf8
    }

    package mutating func setNull(_ key: String) {
        appendKey(key)
        bytes += "null".utf8
    }

    package mutating func set(_ key: String, _ value: JSONLine) {
        appendKey(key)
        bytes += value.object
    }

    package mutating func set(_ key: String, _ values: [JSONLine]) {
        appendKey(key)
        appendArray(values) { line, value in line.bytes += value.object }
    }

    package mutating func set(_ key: String, _ values: [Int]) {
        appendKey(key)
        appendArray(values) { line, value in line.bytes += String(value).utf8 }
    }

    package mutating func set(_ key: String, _ values: [String]) {
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
