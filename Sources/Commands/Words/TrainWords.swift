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

    /// - Parameter read: the words behind the name of the command, none of which is strange.
    /// - Throws: ``RecipeError``, ``CommandError``.
    init(_ read: FlagWords) throws {
        let keys = try TrainKeys.keys()
        self.keys = keys
        let isOwn = { (name: String) in TrainKeys.ownFlags.contains(name) }
        var recipe = Recipe()
        for path in read.others { recipe.add(try RecipeFile(path, keys: keys)) }
        recipe.add(
            read.flags.filter { !isOwn($0.key.name) }
                .flatMap { Self.spelledOut($0.key, $0.values, keys: keys) })
        recipe.add(FormerRecipes.settings(meantBy: recipe, from: read.others, keys: keys))
        notes = Self.leaveOutOtherMethods(from: &recipe)
        self.recipe = recipe
        let own = read.flags.filter { isOwn($0.key.name) && $0.values == ["true"] }
        arguments =
            try MethodFlags.spelledOut(
                [Self.command] + recipe.arguments + own.map { "--\($0.key.name)" })
            + (read.others.isEmpty ? [] : ["--"] + read.others)
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
