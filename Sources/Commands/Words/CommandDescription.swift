import ArgumentParser
import DualRecipes
import FineTuning
import Foundation
import Synchronization

/// What the parser tells of a command, as `--experimental-dump-help` prints it.
struct CommandDescription: Decodable, Sendable {
    struct Argument: Decodable, Sendable {
        struct Name: Decodable, Sendable {
            let kind: String
            let name: String
        }

        enum Kind: String, Decodable, Sendable {
            case positional, option, flag
        }

        let kind: Kind
        let shouldDisplay: Bool
        let isOptional: Bool
        let isRepeating: Bool
        let parsingStrategy: String?
        let sectionTitle: String?
        let names: [Name]?
        let preferredName: Name?
        let valueName: String?
        let defaultValue: String?
        let allValues: [String]?
        let abstract: String?
    }

    let commandName: String
    let abstract: String?
    let discussion: String?
    private let arguments: [Argument]?

    var all: [Argument] { arguments ?? [] }

    /// The parser answers them itself.
    static let builtIn: Set<String> = ["help", "version"]

    /// The descriptions that were asked for, of which each takes a while.
    private static let made = Mutex<[ObjectIdentifier: CommandDescription]>([:])

    /// - Throws: ``CommandError`` where the parser describes its flags in a way that is not known.
    static func of(_ command: any ParsableCommand.Type) throws -> CommandDescription {
        struct Dump: Decodable {
            let command: CommandDescription
        }
        if let known = made.withLock({ $0[ObjectIdentifier(command)] }) { return known }
        do {
            let dump = Data(command._dumpHelp().utf8)
            let description = try JSONDecoder().decode(Dump.self, from: dump).command
            made.withLock { $0[ObjectIdentifier(command)] = description }
            return description
        } catch {
            throw CommandError("this build cannot tell its own flags: \(error)")
        }
    }

    /// Its flags, but for those that the parser answers itself.
    var keys: [RecipeKey] {
        all.compactMap(\.key).filter { !Self.builtIn.contains($0.name) }
    }

    var flagNames: [String] { keys.map(\.name) }

    /// What a call must name beside the flags that it has: a method too, if no adapter brings its own.
    func required(beside given: [String]) -> [Argument] {
        let takesAdapter = flagNames.contains("from-adapter") && !given.contains("from-adapter")
        return all.filter { !$0.isOptional || takesAdapter && $0.key?.name == "method" }
    }

    /// The most words that are no flags; nil for any number.
    var positionalLimit: Int? {
        let positionals = all.filter { $0.kind == .positional }
        return positionals.contains(where: \.isRepeating) ? nil : positionals.count
    }
}

extension CommandDescription.Argument {
    /// nil for what is no flag.
    var key: RecipeKey? {
        guard kind != .positional, let preferredName, preferredName.kind == "long" else {
            return nil
        }
        return RecipeKey(
            preferredName.name, keyKind, words: words, section: sectionTitle?.lowercased(),
            standard: kind == .flag ? nil : defaultValue)
    }

    private var keyKind: RecipeKey.Kind {
        if kind == .flag { return .flag }
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
