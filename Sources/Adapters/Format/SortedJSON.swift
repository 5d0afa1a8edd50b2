import Foundation

/// An object as `JSONSerialization` takes it, written with its keys by their code points, as Python sorts
/// them: PEFT reads patterns in the order of the file. `JSONSerialization` sorts for people to read.
struct SortedJSON: Encodable {
    private let value: Any

    init(_ object: [String: Any]) { value = object }

    private init(any value: Any) { self.value = value }

    /// The file's bytes.
    /// - Throws: `EncodingError` for what JSON has no form of.
    func data() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }

    func encode(to encoder: any Encoder) throws {
        switch value {
        case let object as [String: Any]:
            try object.mapValues(SortedJSON.init(any:)).encode(to: encoder)
        case let list as [Any]: try list.map(SortedJSON.init(any:)).encode(to: encoder)
        case let value as any Encodable: try value.encode(to: encoder)
        case is NSNull:
            var container = encoder.singleValueContainer()
            try container.encodeNil()
        default:
            throw EncodingError.invalidValue(
                value, .init(codingPath: encoder.codingPath, debugDescription: "no JSON value"))
        }
    }
}
