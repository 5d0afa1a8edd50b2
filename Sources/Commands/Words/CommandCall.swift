import ArgumentParser
import DualJSON
import DualNames
import DualRecipes
import FineTuning

/// One call of a subcommand. What is strange among its words is answered by its name, before what is
/// missing; the parser sees what is left.
struct CommandCall {
    let description: CommandDescription
    let keys: RecipeKeys
    /// Its words behind the command's name, told apart.
    let read: FlagWords
    /// With the recipes of a `train` put in.
    private(set) var train: TrainWords?

    /// The words that the parser answers before it looks for a command.
    private static func isOfParser(_ word: String) -> Bool {
        ["---completion", "--version", "--experimental-dump-help"].contains(word)
            || word.hasPrefix(completionScript)
    }

    private static let completionScript = "--generate-completion-script"
    private static let helpWords: Set<String> = ["-h", "--help"]

    /// - Parameter words: all that stand behind the program's name.
    /// - Returns: nil where no subcommand is called: for help, or for what the parser answers itself.
    /// - Throws: `ValidationError` for a command that does not exist.
    init?(_ words: [String]) throws {
        guard let name = words.first, name != "help", !Self.helpWords.contains(name) else {
            return nil
        }
        guard !Self.isOfParser(name) else {
            try Self.checkShell(words)
            return nil
        }
        description = try CommandDescription.of(Self.command(named: name))
        let takesMethod = MethodFlags.commands.contains(name)
        keys = RecipeKeys(description.keys + (takesMethod ? MethodFlags.keys : []))
        read = FlagWords(Array(words.dropFirst()), keys: keys)
    }

    /// Refuses a shell for which there is no script; the parser does so in several lines.
    private static func checkShell(_ words: [String]) throws {
        guard words[0].hasPrefix(completionScript) else { return }
        let attached = words[0].split(separator: "=", maxSplits: 1).dropFirst().first.map(
            String.init)
        let known = CompletionShell.allCases.map(\.rawValue)
        guard let shell = attached ?? words.dropFirst().first, known.contains(shell) else {
            throw ValidationError(
                "\(completionScript): name one of \(known.joined(separator: ", "))")
        }
    }

    /// - Throws: `ValidationError` for a command that does not exist.
    private static func command(named name: String) throws -> any ParsableCommand.Type {
        let commands = DualLoRACommand.configuration.subcommands
        let names = commands.compactMap { $0.configuration.commandName }
        if let command = commands.first(where: { $0.configuration.commandName == name }) {
            return command
        }
        guard !name.hasPrefix("-") else {
            throw ValidationError(
                "\(name.excerpt()): a command comes before its flags; duallora --help lists them")
        }
        let hint = NearestName.of(name, among: names).map { "did you mean \($0)?" }
        throw ValidationError(
            "there is no command '\(name.excerpt())'; \(hint ?? "duallora --help lists them")")
    }

    /// Whether the parser is asked for its version, or to describe itself.
    private var isOfParser: Bool {
        read.strange.contains { Self.isOfParser($0.word) }
    }

    var asksForHelp: Bool { read.strange.contains { Self.helpWords.contains($0.word) } }

    /// The method that the words name.
    var methodName: String? { read.flags.first { $0.key.name == "method" }?.values.last }

    /// The words for the parser.
    /// - Throws: `ValidationError` for flags that are strange or missing, and the errors of recipes.
    mutating func arguments() throws -> [String] {
        let name = description.commandName
        guard !isOfParser else { return [name] + read.spelled }
        if let flag = read.strange.first {
            let method = methodName.flatMap { try? MethodRegistry.method(named: $0) }
            throw StrangeFlag(command: name, keys: keys, method: method).error(flag)
        }
        guard name == TrainWords.command else {
            try check(given: read.flags.map(\.key.name), others: read.others)
            return try MethodFlags.spelledOut([name] + read.spelled)
        }
        let train = try TrainWords(read)
        self.train = train
        try check(given: train.recipe.settings.map(\.key.name), others: read.others)
        return train.arguments
    }

    /// Finds flags that are missing, and words that belong to none.
    private func check(given: [String], others: [String]) throws {
        let missing = description.required(beside: given).compactMap { argument -> String? in
            if let key = argument.key {
                return given.contains(key.name) ? nil : "--\(key.name)"
            }
            return others.isEmpty ? "<\(argument.valueName ?? "word")>" : nil
        }
        if let last = missing.last {
            let list =
                missing.count == 1
                ? "\(last) is missing"
                : missing.dropLast().joined(separator: ", ") + " and \(last) are missing"
            throw ValidationError("\(list); see duallora \(description.commandName) --help")
        }
        if let limit = description.positionalLimit, others.count > limit {
            throw ValidationError(
                "'\(others[limit].excerpt())' belongs to no flag; a text with spaces is put in quotes"
            )
        }
    }

    /// The values that were given, with those of recipes.
    private var settings: [(key: RecipeKey, values: [String])] {
        train?.recipe.settings.map { ($0.key, $0.values) } ?? read.flags
    }

    /// The parser's error of a value that is none of a flag's few, in our words; another as it is.
    func explained(_ error: any Error) -> any Error {
        let text = DualLoRACommand.message(for: error)
        for argument in description.all {
            guard let name = argument.key?.name, let known = argument.allValues, known.count > 1,
                let values = settings.first(where: { $0.key.name == name })?.values,
                let wrong = values.first(where: { !known.contains($0) }),
                text.contains("'\(wrong)'"), text.contains("--\(name)")
            else { continue }
            return ValidationError("--\(name): " + Self.refusal(of: wrong, among: known))
        }
        return error
    }

    private static func refusal(of value: String, among known: [String]) -> String {
        if Set(DType.allValueStrings).isSubset(of: known), DType.named(value) == .float16 {
            return "float16 has too small a range to train in; use bfloat16 or float32"
        }
        let list = known.dropLast().joined(separator: ", ") + " or \(known.last ?? "")"
        let hint = NearestName.of(value, among: known).map { "; did you mean \($0)?" } ?? ""
        return "'\(value.excerpt())' is not \(list)\(hint)"
    }
}
