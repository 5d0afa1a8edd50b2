/// A name that a task has already.
public struct TaskNameTaken: Error, Equatable, CustomStringConvertible {
    public let name: String

    public var description: String { "there is a task '\(name)' already" }
}
