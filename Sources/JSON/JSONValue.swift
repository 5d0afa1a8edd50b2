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
    /// The text of a string; nil for any other value.
    package var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

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
