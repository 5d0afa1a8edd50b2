/// A task name that no task has.
public struct UnknownTaskError: Error, Equatable, CustomStringConvertible {
    public let name: String
    public let known: [String]
    public let suggestion: String?

    public var description: String {
        let list = known.joined(separator: ", ")
        let hint = suggestion.map { "; did you mean '\($0)'?" } ?? "."
        return "there is no task '\(name)'; tasks are \(list)\(hint)"
    }
}
