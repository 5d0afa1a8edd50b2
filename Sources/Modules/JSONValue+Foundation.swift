import DualJSON
import Foundation

extension JSONValue {
    /// The value as `JSONSerialization` gives and takes it.
    var foundationValue: Any {
        switch self {
        case .null: NSNull()
        case .bool(let value): NSNumber(value: value)
        case .number(let text): Self.foundationNumber(text)
        case .string(let text): text
        case .array(let values): values.map(\.foundationValue)
        case .object(let object): object.foundationValue
        }
    }

    /// Whole numbers keep their digits, as far as a `Decimal` has room for them.
    private static func foundationNumber(_ text: String) -> NSNumber {
        if let integer = Int(text) { return NSNumber(value: integer) }
        if let integer = UInt64(text) { return NSNumber(value: integer) }
        let isWhole = !text.contains { ".eE".contains($0) }
        return isWhole ? NSDecimalNumber(string: text) : NSNumber(value: Double(text) ?? .nan)
    }
}

extension JSONObject {
    var foundationValue: [String: Any] {
        Dictionary(
            members.map { ($0.key, $0.value.foundationValue) }, uniquingKeysWith: { $1 })
    }
}
