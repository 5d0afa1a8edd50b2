import DualJSON

/// A value that a template is given by name, besides the messages.
public enum TemplateValue: Equatable, Sendable {
    case none
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case list([TemplateValue])
    /// Keys in the order in which a template that goes through them sees them.
    case mapping([Entry])

    /// A key of a mapping with its value.
    public struct Entry: Equatable, Sendable {
        public var key: String
        public var value: TemplateValue

        public init(_ key: String, _ value: TemplateValue) {
            self.key = key
            self.value = value
        }
    }
}

extension TemplateValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int) { self = .integer(value) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(arrayLiteral elements: TemplateValue...) { self = .list(elements) }
    public init(dictionaryLiteral elements: (String, TemplateValue)...) {
        self = .mapping(elements.map { Entry($0.0, $0.1) })
    }
    public init(nilLiteral: ()) { self = .none }
}

extension TemplateValue {
    /// A value of JSON as Python reads it: numbers without a point are integers, and keys keep their
    /// order.
    public init(_ json: JSONValue) {
        switch json {
        case .null: self = .none
        case .bool(let value): self = .bool(value)
        // A number of more digits than a machine's word is as near as a double comes.
        case .number(let text): self = Int(text).map { .integer($0) } ?? .number(Double(text) ?? 0)
        case .string(let text): self = .string(text)
        case .array(let values): self = .list(values.map(TemplateValue.init))
        case .object(let object):
            self = .mapping(object.members.map { Entry($0.key, TemplateValue($0.value)) })
        }
    }
}

extension TemplateValue {
    /// The text of a string; nil for any other value.
    var text: String? { if case .string(let text) = self { text } else { nil } }

    /// What a mapping has under a key; nil for nothing.
    subscript(key: String) -> TemplateValue? {
        guard case .mapping(let entries) = self else { return nil }
        return entries.first { $0.key == key }?.value
    }
}

extension TemplateValue: Encodable {
    private struct FieldKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    public func encode(to encoder: any Encoder) throws {
        if case .mapping(let entries) = self {
            var container = encoder.container(keyedBy: FieldKey.self)
            for entry in entries {
                try container.encode(entry.value, forKey: FieldKey(stringValue: entry.key))
            }
            return
        }
        var container = encoder.singleValueContainer()
        switch self {
        case .none: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let text): try container.encode(text)
        case .list(let values): try container.encode(values)
        case .mapping: break
        }
    }
}

extension TemplateValue: CustomStringConvertible {
    /// Nearly as JSON has it, in one line, keys in their order.
    public var description: String {
        switch self {
        case .none: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let text): "\"\(text)\""
        case .list(let values): "[" + values.map(\.description).joined(separator: ", ") + "]"
        case .mapping(let entries):
            "{" + entries.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ") + "}"
        }
    }
}
