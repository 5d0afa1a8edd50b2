import DualRecipes
import FineTuning

/// What a recipe of `train` may say: every flag that the command has, as the parser tells them, and every
/// option of a method.
enum TrainKeys {
    /// About one call of the command, not about the run.
    static let ownFlags: Set<String> = ["print-recipe"]

    /// - Throws: ``CommandError`` where the parser describes its flags in a way that is not known.
    static func keys() throws -> RecipeKeys {
        let flags = try CommandDescription.of(TrainCommand.self).keys
        return RecipeKeys(
            flags.filter { !ownFlags.contains($0.name) } + MethodFlags.keys,
            heads: ["model", "data", "method"])
    }
}
