import ArgumentParser
import DualJSON
import DualNames
import DualRecipes
import FineTuning

/// What is said of a flag that a command does not have, or cannot take as it stands.
struct StrangeFlag {
    /// The command's name.
    let command: String
    /// The command's flags.
    let keys: RecipeKeys
    /// The method that the call names.
    var method: (any FineTuningMethod.Type)?

    func error(_ flag: FlagWords.Strange) -> ValidationError {
        ValidationError(OptionSpelling.flags(in: text(flag)))
    }

    private func text(_ flag: FlagWords.Strange) -> String {
        let name = String(flag.word.drop { $0 == "-" }.prefix { $0 != "=" })
        let shown = String(flag.word.prefix { $0 != "=" }).excerpt()
        switch flag {
        case .notBoolean: return "\(shown): it takes true or false"
        case .noValue(_, let next):
            guard let next, keys[RecipeKey.spelling(Self.name(of: next))] == nil,
                next != "-h", next != "--help"
            else { return "\(shown): it has no value" }
            return "\(shown): it has no value; one that begins with a dash is written "
                + "\(shown)=\(next.excerpt())"
        case .unknown:
            if let text = foreign(name, shown) { return text }
            if let text = elsewhere(name, shown) { return text }
            return "\(shown): there is no such flag" + hint(for: name)
        }
    }

    private static func name(of word: String) -> String {
        String(word.drop { $0 == "-" }.prefix { $0 != "=" })
    }

    /// A name that another program has for a flag.
    private func foreign(_ name: String, _ shown: String) -> String? {
        switch ForeignName.meaning(of: name, where: { keys[$0] != nil }) {
        case .setting(let ours, let value):
            let flag = "--\(ours)" + (value.map { " \($0)" } ?? "")
            if keys[ours] != nil { return "\(shown) is \(flag) here" }
            let owners = Self.commands(with: ours)
            return owners.isEmpty ? nil : "\(shown) is \(flag) of \(Self.list(owners)) here"
        case .none(let reason)?: return "\(shown): \(reason)"
        case nil: return nil
        }
    }

    /// A flag of other commands.
    private func elsewhere(_ name: String, _ shown: String) -> String? {
        let owners = Self.commands(with: RecipeKey.spelling(name))
        guard !owners.isEmpty, keys[RecipeKey.spelling(name)] == nil else { return nil }
        return "\(shown): \(command) has no such flag; it is one of \(Self.list(owners))"
    }

    private func hint(for name: String) -> String {
        let options = Set(MethodRegistry.optionNames)
        let own = method.map { Set($0.options.map(\.name)) } ?? options
        let names = keys.all.map(\.name)
        let nearest =
            NearestName.of(name, among: names.filter { !options.contains($0) || own.contains($0) })
            ?? NearestName.of(name, among: names)
        return nearest.map { "; did you mean --\($0)?" }
            ?? "; duallora \(command) --help lists them"
    }

    /// The names of the commands that have a flag.
    private static func commands(with flag: String) -> [String] {
        let isOption = MethodRegistry.optionNames.contains(flag)
        return DualLoRACommand.configuration.subcommands.compactMap { command in
            guard let description = try? CommandDescription.of(command) else { return nil }
            let name = description.commandName
            let takes = isOption && MethodFlags.commands.contains(name)
            return takes || description.flagNames.contains(flag) ? name : nil
        }
    }

    private static func list(_ commands: [String]) -> String {
        guard let last = commands.last, commands.count > 1 else { return commands.first ?? "" }
        return commands.dropLast().joined(separator: ", ") + " and " + last
    }
}
