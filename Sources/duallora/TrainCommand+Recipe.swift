import DualLoRA
import DualRecipes

extension TrainCommand {
    /// About one call, not about what comes of the run.
    private static let ownFlags: Set<String> = ["resume", "json", MethodFlags.option]

    /// The run as a recipe: what was set, and the defaults of everything else that does not wait for the
    /// model.
    func recipeText() throws -> String {
        guard let words = TrainWords.current else { return "" }
        var values = try chosen()
        for key in words.keys.all {
            if let setting = words.recipe[key.name] { values[key.name] = setting.values }
            if values[key.name] == nil, let standard = key.standard { values[key.name] = [standard] }
            if Self.ownFlags.contains(key.name) { values[key.name] = nil }
        }
        for (decider, other) in [("steps", "epochs"), ("warmup-steps", "warmup-ratio")]
        where values[decider] != nil {
            values[other] = nil
        }
        return RecipeText(words.keys).text(values, comment: comment(words))
    }

    /// What the task and the method choose where no one does.
    private func chosen() throws -> [String: [String]] {
        let (task, method) = (try data.trainingTask(), try method.make())
        var values = [
            "batch-size": ["\(task.defaults.batchSize)"],
            "max-length": ["\(task.defaults.maximumLength)"],
            "learning-rate": ["\(method.defaultLearningRate)"],
        ]
        for (name, value) in method.settings.all { values[name] = [value] }
        return values
    }

    private func comment(_ words: TrainWords) -> [String] {
        let threads = compute.threads ?? TorchRuntime.threads
        var lines = [
            "Of duallora \(packageVersion), LibTorch \(TorchRuntime.version), \(threads) threads.",
            "`duallora train THIS_FILE --output FOLDER` makes the run again.",
        ]
        if !words.recipe.files.isEmpty {
            lines.append("Made from \(words.recipe.files.joined(separator: ", ")) and flags.")
        }
        return lines
    }
}
