import DualJSON

/// One example of a file of JSON, with the line where it begins.
public struct JSONRecord: Equatable, Sendable {
    /// The path of its file, as messages show it.
    public let path: String
    /// Counted from 1.
    public let line: Int
    public let fields: JSONObject

    /// The text of a field, empty or not.
    /// - Throws: ``TaskDataError/missingKey(path:line:key:found:)``,
    ///   ``TaskDataError/wrongKind(path:line:key:found:expected:)``.
    public func text(_ key: String) throws(TaskDataError) -> String {
        guard let value = fields[key] else {
            throw .missingKey(path: path, line: line, key: key, found: fields.keys)
        }
        guard case .string(let text) = value else {
            throw .wrongKind(
                path: path, line: line, key: key, found: value.kind, expected: "a text")
        }
        return text
    }
}
