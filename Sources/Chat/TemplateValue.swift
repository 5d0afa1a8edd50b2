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

extension TemplateValue: Codable {
    /// Reads any JSON value. The keys of an object come in the order of their names: decoders do
    /// not tell the file's order.
    public init(from decoder: any Decoder) throws {
        if let fields = try? decoder.container(keyedBy: AnyKey.self) {
            let keys = fields.allKeys.map(\.stringValue).sorted {
                $0.utf8.lexicographicallyPrecedes($1.utf8)
            }
            self = .mapping(
                try keys.map {
                    Entry($0, try fields.decode(TemplateValue.self, forKey: AnyKey($0)))
                })
            return
        }
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .none
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let integer = try? value.decode(Int.self) {
            self = .integer(integer)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .string(text)
        } else {
            self = .list(try value.decode([TemplateValue].self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        if case .mapping(let entries) = self {
            var fields = encoder.container(keyedBy: AnyKey.self)
            for entry in entries { try fields.encode(entry.value, forKey: AnyKey(entry.key)) }
            return
        }
        var container = encoder.singleValueContainer()
        switch self {
        case .none: try container.encodeNil()
        case .bool(let bool): try container.encode(bool)
        case .integer(let integer): try container.encode(integer)
        case .number(let number): try container.encode(number)
        case .string(let text): try container.encode(text)
        case .list(let values): try container.encode(values)
        case .mapping: break
        }
    }

    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.init(stringValue) }
        init?(intValue: Int) { nil }
    }
}
