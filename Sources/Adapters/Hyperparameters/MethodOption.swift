/// An option of a method, for `duallora methods` and the command line.
public struct MethodOption: Equatable, Sendable {
    /// As the command line has it: `sign-grad`. An underscore is as good as a dash.
    public let name: String
    public let help: String

    public init(_ name: String, _ help: String) {
        self.name = name
        self.help = help
    }
}
