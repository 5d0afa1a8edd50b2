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

/// A name that a task has already.
public struct TaskNameTaken: Error, Equatable, CustomStringConvertible {
    public let name: String

    public var description: String { "there is a task '\(name)' already" }
}
