/// A value of JSON as a file has it.
public enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    /// As it is spelled, so that none of its digits is lost.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// What kind of value it is, for messages.
    public var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a truth value"
        case .number: "a number"
        case .string: "a text"
        case .array: "a list"
        case .object: "an object"
        }
    }
}

extension JSONValue {
    /// Whether a field of the value is as good as none.
    package var saysNothing: Bool {
        switch self {
        case .null: true
        // A list may come as the text of one.
        case .string(let text): text.isEmpty || text == "[]"
        case .array(let values): values.isEmpty
        case .object(let object): object.members.isEmpty
        case .bool, .number: false
        }
    }
}

/// The members of an object in their order; no key comes twice.
public struct JSONObject: Equatable, Sendable {
    public struct Member: Equatable, Sendable {
        public let key: String
        public let value: JSONValue

        package init(key: String, value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    public let members: [Member]

    package init(_ members: [Member]) { self.members = members }

    public var keys: [String] { members.map(\.key) }

    public subscript(key: String) -> JSONValue? { members.first { $0.key == key }?.value }
}
