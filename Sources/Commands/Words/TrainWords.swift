import ArgumentParser
import DualRecipes
import FineTuning

/// The words of a `train`, with what its recipes say put in.
struct TrainWords {
    /// For the parser.
    let arguments: [String]
    let recipe: Recipe
    let keys: RecipeKeys
    /// What the user should know.
    let notes: [String]

    /// The words of the run that is being made; nil beside a `train`.
    @TaskLocal static var current: TrainWords?

    static let command = "train"

    /// - Parameter words: without the name of the command.
    /// - Throws: ``RecipeError``, ``CommandError``.
    init(_ words: [String]) throws {
        let keys = try TrainKeys.keys()
        self.keys = keys
        let read = FlagWords(words, keys: keys)
        // These are the parser's to answer, or to refuse.
        let strange = read.strange.filter { $0 != "--print-recipe" }
        guard strange.isEmpty else {
            try Self.refuse(strange, besides: read.others, keys: keys)
            (recipe, notes) = (Recipe(), [])
            arguments = try MethodFlags.spelledOut([Self.command] + words)
            return
        }
        var recipe = Recipe()
        for path in read.others { recipe.add(try RecipeFile(path, keys: keys)) }
        recipe.add(read.flags.flatMap { Self.spelledOut($0.key, $0.values, keys: keys) })
        recipe.add(FormerRecipes.settings(meantBy: recipe, from: read.others, keys: keys))
        notes = Self.leaveOutOtherMethods(from: &recipe)
        self.recipe = recipe
        arguments = try MethodFlags.spelledOut(
            [Self.command] + read.others + recipe.arguments + read.strange)
    }

    /// What the parser would say of a strange flag, where it lacks what only the recipes have.
    private static func refuse(
        _ strange: [String], besides others: [String], keys: RecipeKeys
    ) throws {
        guard others.contains(where: { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }),
            !strange.contains(where: { $0 == "-h" || $0 == "--help" || $0 == "--version" }),
            let word = strange.first
        else { return }
        let name = String(word.drop { $0 == "-" }.prefix { $0 != "=" })
        guard let key = keys[RecipeKey.spelling(name)] else {
            let hint = keys.suggestion(for: name).map { "; did you mean --\($0)?" } ?? ""
            throw CommandError("\(word): there is no such flag\(hint)")
        }
        throw CommandError(
            "--\(name): " + (key.kind == .flag ? "it takes true or false" : "it has no value"))
    }

    /// `--method-option rank=8` as `--rank 8`.
    private static func spelledOut(
        _ key: RecipeKey, _ values: [String], keys: RecipeKeys
    ) -> [(key: RecipeKey, values: [String])] {
        guard key.name == MethodFlags.option else { return [(key, values)] }
        return values.map { text in
            guard let setting = MethodSetting(argument: text), let option = keys[setting.name],
                MethodRegistry.optionNames.contains(option.name)
            else { return (key, [text]) }
            return (option, [setting.value])
        }
    }

    /// A recipe's options of a method that a later recipe or a flag replaces by one that lacks them.
    private static func leaveOutOtherMethods(from recipe: inout Recipe) -> [String] {
        guard let chosen = recipe["method"],
            let method = try? MethodRegistry.method(named: chosen.values.last ?? "")
        else { return [] }
        let known = Set(method.options.map(\.name))
        let options = Set(MethodRegistry.optionNames).subtracting(known)
        var notes: [String] = []
        for setting in recipe.settings
        where options.contains(setting.key.name) && setting.layer < chosen.layer {
            guard let place = setting.place else { continue }
            notes.append("\(place): left out, for \(method.facts.name) has no such option")
            recipe.remove(setting.key.name)
        }
        return notes
    }

    /// An error that a setting of a recipe caused, with the place of the setting.
    func placed(_ error: any Error) -> any Error {
        guard DualLoRACommand.exitCode(for: error) != .success else { return error }
        let text = DualLoRACommand.message(for: error)
        guard let place = recipe.place(namedIn: text) else { return error }
        return CommandError("\(place): \(text)")
    }
}
