import DualJSON

/// Instruction data that cannot be read as what it should be.
///
/// Every message is one line, begins with the path and the line, from 1, says what is wrong and then what
/// would be right.
public enum InstructionDataError: Error, Equatable, CustomStringConvertible {
    case badField(text: String, known: [String])
    case unknownKey(path: String, field: String, key: String, nearest: String?, keys: [String])
    case unknownKind(path: String)
    case unknownFormat(path: String, line: Int, keys: [String])
    case missingField(path: String, line: Int, field: String, names: [String], keys: [String])
    case wrongType(path: String, line: Int, key: String, found: String, expected: String)
    case emptyField(path: String, line: Int, key: String)
    case unknownRole(path: String, line: Int, turn: Int, role: String)
    case roleOrder(path: String, line: Int, turn: Int, role: String, expected: String)
    case noAnswer(path: String, line: Int)
    case badWeight(path: String, line: Int, key: String, found: String)
    /// Something that bad rows are not told from good ones behind.
    case notSkippable(TaskDataError)
    case onlyBadRows(path: String, count: Int, first: String)

    public var description: String {
        switch self {
        case .badField(let text, let known):
            "`field` \(text): it should be FIELD=KEY, such as output=answer; fields are "
                + known.joined(separator: ", ")
        case .unknownKey(let path, let field, let key, let nearest, let keys):
            "\(path): `field` \(field)=\(key.excerpt()) names a key that is not there"
                + (nearest.map { " (did you mean '\($0.excerpt())'?)" } ?? "") + "; there are "
                + list(keys)
        case .unknownKind(let path):
            "\(path): instruction data is read from .json, .jsonl, .csv, .tsv and .txt files"
        case .unknownFormat(let path, let line, let keys):
            "\(path):\(line): the keys \(list(keys)) are of no known form; there should be instruction "
                + "and output, prompt and completion, messages, conversations or text, or `field` "
                + "should name them"
        case .missingField(let path, let line, let field, let names, let keys):
            "\(path):\(line): there is no \(names.map { "'\($0)'" }.joined(separator: " or ")), but "
                + "\(list(keys)); `field` \(field)=KEY names another key"
        case .wrongType(let path, let line, let key, let found, let expected):
            "\(path):\(line): '\(key.excerpt())' is \(found); it should be \(expected)"
        case .emptyField(let path, let line, let key):
            "\(path):\(line): '\(key.excerpt())' is empty; there should be something to learn, or "
                + "`skip-bad-rows` leaves such rows out"
        case .unknownRole(let path, let line, let turn, let role):
            "\(path):\(line): message \(turn) has the role '\(role.excerpt())'; it should be system, user, "
                + "assistant or tool (human, gpt, function_call or observation)"
        case .roleOrder(let path, let line, let turn, let role, let expected):
            "\(path):\(line): message \(turn) is of the \(role); it should be of the \(expected), as "
                + "user and assistant alternate behind an optional system message, and tools answer "
                + "an assistant"
        case .noAnswer(let path, let line):
            "\(path):\(line): the conversation has no assistant's message to learn from"
        case .badWeight(let path, let line, let key, let found):
            "\(path):\(line): '\(key)' is \(found.excerpt()); it should be 0 or 1"
        case .notSkippable(let error):
            "\(error) Where the next row begins cannot be told, so `skip-bad-rows` does not leave this "
                + "one out."
        case .onlyBadRows(let path, let count, let first):
            "\(path): none of \(count) rows can be used; the first: \(first)"
        }
    }

    private func list(_ keys: [String]) -> String {
        let shown = keys.sorted().prefix(8).map { "'\($0.excerpt())'" }.joined(separator: ", ")
        return keys.isEmpty ? "none" : shown + (keys.count > 8 ? ", ..." : "")
    }
}
