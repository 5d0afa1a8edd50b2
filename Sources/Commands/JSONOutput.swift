import Foundation

/// One JSON object on standard output.
func printJSON(_ fields: [String: Any]) throws {
    let data = try JSONSerialization.data(
        withJSONObject: fields, options: [.sortedKeys, .withoutEscapingSlashes])
    print(String(decoding: data, as: UTF8.self))
}

/// A number that JSON can hold.
func jsonNumber(_ value: Double?) -> Any {
    guard let value, value.isFinite else { return NSNull() }
    return value
}
