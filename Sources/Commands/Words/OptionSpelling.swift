import ArgumentParser
import FineTuning

/// The library names options in backquotes, as a caller in Swift knows them; the command spells them as
/// flags.
enum OptionSpelling {
    /// "a smaller `max-length` may help" as "a smaller --max-length may help".
    ///
    /// A name at the beginning is an option's, known or not; others in backquotes must be flags of the
    /// command, for a text may quote a user's.
    static func flags(in text: String, known: @autoclosure () -> Set<String> = known) -> String {
        guard text.contains("`") else { return text }
        let known = known()
        return text.replacing(/`([a-z][a-z0-9_-]*)`/) { match in
            let isFlag =
                match.range.lowerBound == text.startIndex || known.contains(String(match.1))
            return isFlag ? "--\(match.1)" : String(match.0)
        }
    }

    /// An error of the library with its options as flags; any other as it is.
    static func flags(in error: any Error) -> any Error {
        // The parser's own errors are its own words.
        guard !String(reflecting: type(of: error)).hasPrefix("ArgumentParser.") else {
            return error
        }
        let text = "\(error)"
        let spelled = flags(in: text)
        return spelled == text ? error : CommandError(spelled)
    }

    /// The flags of all subcommands, and the options of all methods.
    private static let known: Set<String> = {
        let commands = DualLoRACommand.configuration.subcommands
        let flags = commands.flatMap { (try? CommandDescription.of($0).flagNames) ?? [] }
        return Set(flags + MethodRegistry.optionNames)
    }()
}
