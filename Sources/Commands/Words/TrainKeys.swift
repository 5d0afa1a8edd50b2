import ArgumentParser
import DualRecipes
import FineTuning
import Foundation

/// What a recipe of `train` may say: every flag that the command has, as the parser tells them, and every
/// option of a method.
enum TrainKeys {
    /// About one call of the command, not about the run.
    private static let ownFlags: Set<String> = ["print-recipe", "help", "version"]

    /// The names of a command's flags.
    static func flagNames(of command: any ParsableCommand.Type) throws -> [String] {
        try Dump.arguments(of: command).compactMap { $0.key?.name }
    }

    /// - Throws: ``CommandError`` where the parser describes its flags in a way that is not known.
    static func keys() throws -> RecipeKeys {
        let flags = try Dump.arguments(of: TrainCommand.self).compactMap(\.key)
            .filter { !ownFlags.contains($0.name) }
        let options = MethodRegistry.optionNames.map {
            RecipeKey($0, .parts, words: .any, section: "method")
        }
        return RecipeKeys(flags + options, heads: ["model", "data", "method"])
    }
}

/// What the parser says of a command's arguments, as `--experimental-dump-help` prints it.
private struct Dump: Decodable {
    struct Command: Decodable {
        let arguments: [Argument]?
    }

    struct Argument: Decodable {
        struct Name: Decodable {
            let kind: String
            let name: String
        }

        let kind: String
        let isRepeating: Bool
        let parsingStrategy: String?
        let sectionTitle: String?
        let preferredName: Name?
        let valueName: String?
        let defaultValue: String?
    }

    let command: Command

    static func arguments(of command: any ParsableCommand.Type) throws -> [Argument] {
        do {
            let dump = try JSONDecoder().decode(Dump.self, from: Data(command._dumpHelp().utf8))
            return dump.command.arguments ?? []
        } catch {
            throw CommandError("this build cannot tell its own flags: \(error)")
        }
    }
}

extension Dump.Argument {
    /// nil for what is no flag.
    fileprivate var key: RecipeKey? {
        guard kind != "positional", let preferredName, preferredName.kind == "long" else {
            return nil
        }
        return RecipeKey(
            preferredName.name, keyKind, words: words, section: sectionTitle?.lowercased(),
            standard: kind == "flag" ? nil : defaultValue)
    }

    private var keyKind: RecipeKey.Kind {
        if kind == "flag" { return .flag }
        if isRepeating { return .list }
        // Help shows it as <a,b,...>.
        return valueName?.contains(",") ?? false ? .parts : .value
    }

    private var words: RecipeKey.Words {
        switch parsingStrategy {
        case "unconditional": .any
        case "upToNextOption": .upToDash
        default: .next
        }
    }
}
