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

/// The members of an object in their order; no key comes twice.
public struct JSONObject: Equatable, Sendable {
    public struct Member: Equatable, Sendable {
        public let key: String
        public let value: JSONValue
    }

    public let members: [Member]

    init(_ members: [Member]) { self.members = members }

    public var keys: [String] { members.map(\.key) }

    public subscript(key: String) -> JSONValue? { members.first { $0.key == key }?.value }
}
