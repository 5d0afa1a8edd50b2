import DualRecipes
import FineTuning
import Foundation

/// What the recipes of runs meant before a setting of today was there.
enum FormerRecipes {
    /// What recipes mean that an earlier run wrote, without a word of it.
    static func settings(
        meantBy recipe: Recipe, from files: [String], keys: RecipeKeys
    ) -> [(key: RecipeKey, values: [String])] {
        guard files.contains(where: isWrittenByRun) else { return [] }
        return [("dev-rows", devRows(of: recipe)), ("dtype", DType.bfloat16.rawValue)].compactMap {
            guard let key = keys[$0], recipe[$0] == nil, let value = $1 else { return nil }
            return (key, [value])
        }
    }

    /// The rows to score on were the last ones. Runs write which they are since these are drawn.
    private static func devRows(of recipe: Recipe) -> String? {
        let task = recipe["task"]?.values.last.flatMap { try? TaskRegistry.task(named: $0) }
        return task.flatMap(HeldOut.of).map { _ in HeldOut.Rows.last.rawValue }
    }

    private static func isWrittenByRun(_ path: String) -> Bool {
        guard let file = FileHandle(forReadingAtPath: path) else { return false }
        defer { try? file.close() }
        let beginning = "# Written by duallora "
        return (try? file.read(upToCount: beginning.utf8.count)) == Data(beginning.utf8)
    }
}

extension HeldOut {
    /// What a task holds out to score on, where it may.
    static func of(_ task: any TrainingTask) -> HeldOut? {
        switch task {
        case let task as TextTraining: task.heldOut
        case let task as InstructionTraining: task.heldOut
        default: nil
        }
    }
}
