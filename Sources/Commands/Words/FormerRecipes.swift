import DualRecipes
import FineTuning
import Foundation

/// What the recipes of runs meant before a setting of today was there.
enum FormerRecipes {
    private static let devRows = "dev-rows"

    /// The rows to score on that recipes mean which an earlier run wrote, without a word of them: the last
    /// ones. Runs write which rows they are since these are drawn.
    static func settings(
        meantBy recipe: Recipe, from files: [String], keys: RecipeKeys
    ) -> [(key: RecipeKey, values: [String])] {
        guard recipe[devRows] == nil, let key = keys[devRows],
            files.contains(where: isWrittenByRun),
            let task = recipe["task"]?.values.last.flatMap({ try? TaskRegistry.task(named: $0) }),
            HeldOut.of(task) != nil
        else { return [] }
        return [(key, [HeldOut.Rows.last.rawValue])]
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
