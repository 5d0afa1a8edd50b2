import DualDatasets
import DualJSON
import DualTorch
import Foundation

/// Random values of JSON, and what is read in them as Foundation has it.
enum RandomJSON {
    static func object(
        depth: Int, using random: inout SplitMix64
    ) -> [String: Any] {
        var fields: [String: Any] = [:]
        for _ in 0..<Int.random(in: 0...4, using: &random) {
            fields[text(using: &random)] = value(depth: depth, using: &random)
        }
        return fields
    }

    private static func value(depth: Int, using random: inout SplitMix64) -> Any {
        switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &random) {
        case 0: return NSNull()
        case 1: return Bool.random(using: &random)
        case 2: return Int.random(in: -1_000_000_000...1_000_000_000, using: &random)
        case 3: return Double(Int.random(in: -99999...99999, using: &random)) / 64
        case 4: return text(using: &random)
        case 5:
            return (0..<Int.random(in: 0...3, using: &random)).map { _ in
                value(depth: depth - 1, using: &random)
            }
        default: return object(depth: depth - 1, using: &random)
        }
    }

    /// Of letters, quotes, control characters and scalars of every length in UTF-8. None is joined to
    /// another by normalization, which Foundation applies to keys.
    private static func text(using random: inout SplitMix64) -> String {
        let scalars: [ClosedRange<UInt32>] = [
            0x20...0x7E, 0x20...0x7E, 0...0x1F, 0x22...0x22, 0x5C...0x5C, 0xA1...0xFF,
            0x4E00...0x9FFF, 0x1F600...0x1F64F,
        ]
        var text = ""
        for _ in 0..<Int.random(in: 0...12, using: &random) {
            let range = scalars.randomElement(using: &random) ?? 0x20...0x7E
            let scalar = Unicode.Scalar(UInt32.random(in: range, using: &random))
            if let scalar { text.unicodeScalars.append(scalar) }
        }
        return text
    }

    static func foundation(_ value: JSONValue) -> NSObject {
        switch value {
        case .null: NSNull()
        case .bool(let value): NSNumber(value: value)
        case .number(let text): Int(text).map { NSNumber(value: $0) } ?? number(text)
        case .string(let text): NSString(string: text)
        case .array(let values): NSArray(array: values.map(foundation))
        case .object(let object):
            NSDictionary(
                objects: object.members.map { foundation($0.value) },
                forKeys: object.members.map { NSString(string: $0.key) })
        }
    }

    private static func number(_ text: String) -> NSNumber {
        NSNumber(value: Double(text) ?? .nan)
    }
}
