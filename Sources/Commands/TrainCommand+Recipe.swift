import DualRecipes
import FineTuning
import Foundation

extension TrainCommand {
    /// About one call, not about what comes of the run.
    private static let ownFlags: Set<String> = [
        "resume", "overwrite", "json", MethodFlags.option,
    ]

    /// The run as a recipe: what was set, and the defaults of everything else that does not wait for the
    /// model.
    /// - Parameters:
    ///   - computeType: nil where only the machine that the run is made on can tell.
    ///   - templateDate: what a template that asks for the time is told.
    ///   - positions: the longest sequence that the model takes; nil for any.
    func recipeText(
        computeType: DType?, templateDate: Date? = nil, positions: Int? = nil
    ) throws -> String {
        guard let words = TrainWords.current else { return "" }
        let method = try method.make(method.start())
        let task = try task
        var values = [
            "batch-size": ["\(task.defaults.batchSize)"],
            "max-length": ["\(task.defaults.maximumLength)"],
            "learning-rate": ["\(method.defaultLearningRate)"],
        ]
        values["dev-rows"] = HeldOut.of(task).map { [$0.rows.rawValue] }
        for key in words.keys.all {
            if let setting = words.recipe[key.name] { values[key.name] = setting.values }
            if values[key.name] == nil, let standard = key.standard {
                values[key.name] = [standard]
            }
        }
        if let computeType { values["dtype"] = [computeType.rawValue] }
        if let positions, let length = values["max-length"]?.first.flatMap({ Int($0) }) {
            values["max-length"] = ["\(min(length, positions))"]
        }
        // The method knows its own, in other words where there are others.
        for name in Self.ownFlags.union(MethodRegistry.optionNames) { values[name] = nil }
        values["method"] = [type(of: method).facts.name]
        for (name, value) in method.settings.all { values[name] = [value] }
        if let templateDate { values["template-date"] = [ChatTemplate.text(of: templateDate)] }
        for (decider, other) in [("steps", "epochs"), ("warmup-steps", "warmup-ratio")]
        where values[decider] != nil {
            values[other] = nil
        }
        return RecipeText(words.keys).text(values, comment: comment(words))
    }

    /// What was found while the recipes were put together.
    func sayNotes() {
        for text in TrainWords.current?.notes ?? [] { note("note: \(text)") }
    }

    private func comment(_ words: TrainWords) -> [String] {
        let threads = compute.threads ?? TorchRuntime.threads
        var lines = [
            "Written by duallora \(packageVersion), LibTorch \(TorchRuntime.version), "
                + "\(threads) threads.",
            "`duallora train THIS_FILE --output FOLDER` makes the run again.",
        ]
        if !words.recipe.files.isEmpty {
            lines.append("Made from \(words.recipe.files.joined(separator: ", ")) and flags.")
        }
        return lines
    }
}
