import CTorch

/// The words that the process was started with.
package enum ProcessArguments {
    /// With the program's name. Swift's own `CommandLine.arguments` reads them from /proc, and has none
    /// where that is not mounted.
    package static var all: [String] {
        guard CommandLine.arguments.isEmpty else { return CommandLine.arguments }
        var count: Int32 = 0
        guard let words = ct_arguments(&count) else { return [] }
        return (0..<Int(count)).compactMap { words[$0].map { String(cString: $0) } }
    }
}
