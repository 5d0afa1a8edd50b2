import ArgumentParser
import FineTuning

/// What `--dtype` says: a type, or that the machine decides.
enum ComputeTypeArgument: ExpressibleByArgument, Equatable {
    case automatic
    case named(DType)

    private static let automaticName = "auto"

    static var allValueStrings: [String] { [automaticName] + DType.allValueStrings }

    static var defaultCompletionKind: CompletionKind { .list(allValueStrings) }

    init?(argument: String) {
        if argument == Self.automaticName {
            self = .automatic
        } else if let type = DType(argument: argument) {
            self = .named(type)
        } else {
            return nil
        }
    }

    var defaultValueDescription: String { named?.rawValue ?? Self.automaticName }

    /// nil where the machine decides.
    var named: DType? { if case .named(let type) = self { type } else { nil } }

    static let help = ArgumentHelp(
        "Compute in \(allValueStrings.joined(separator: ", ")): auto is bfloat16 where this machine "
            + "multiplies it fast, else float32.", valueName: "type")
}

extension ComputeTypeChoice {
    /// Says what the user should know of it.
    func tell() {
        switch remark {
        case .note(let text): note("note: \(text)")
        case .warning(let text): note("warning: \(text)")
        case nil: break
        }
    }
}
