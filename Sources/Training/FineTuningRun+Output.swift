import DualAdapters
import DualChat
import DualModels
import DualModules
import DualTokenization
import DualTorch
import Foundation

// What a run leaves in its output folder.
extension FineTuningRun {
    /// Names of what runs write, whatever their method.
    private static let adapterNames = ["adapter_model.safetensors", "adapter_config.json"]
    private static let companionNames = Tokenizer.fileNames + ModelFolder.companionNames
    private static let modelNames = ["model.safetensors", "config.json"] + companionNames
    private static let recordNames = ["train.jsonl", "result.json", "loss.svg", "recipe.yaml"]

    /// What runs of earlier versions wrote.
    private static let formerNames = ["loss.png"]

    /// Refuses an output folder whose files the run reads, for it would write its own over them.
    /// - Throws: ``TrainingError/ownFolder(path:of:)``.
    func checkPlaces() throws {
        var inputs: [(place: URL, what: String)] = []
        switch base {
        case .model(let folder): inputs = [(folder, "the base model")]
        case .new(let configuration, let tokenizer):
            inputs = [
                (tokenizer, "the tokenizer"),
                (configuration.deletingLastPathComponent(), "the configuration"),
            ]
        }
        for place in data {
            inputs.append((place, "the data"))
            if Self.recordNames.contains(place.lastPathComponent) {
                inputs.append((place.deletingLastPathComponent(), "the data"))
            }
        }
        for (place, what) in inputs where place.isSameFile(as: output) {
            throw TrainingError.ownFolder(path: output.path, of: what)
        }
    }

    /// Whether a run has been in the output folder: only then is anything in it this package's own.
    var replacesRun: Bool {
        let result = output.appendingPathComponent("result.json")
        if let data = try? Data(contentsOf: result),
            (try? JSONDecoder().decode(RunResult.self, from: data)) != nil
        {
            return true
        }
        let log = try? RunLog.read(output.appendingPathComponent("train.jsonl"))
        return log.map { !$0.steps.isEmpty || !$0.evaluations.isEmpty } ?? false
    }

    /// Removes what a killed run left of files that it was writing.
    func removeLeftovers() {
        AtomicFile.removeLeftovers(
            of: Self.adapterNames + Self.modelNames + Self.recordNames, in: output)
    }

    /// Writes the recipe; that of another run does not stand beside a run that has none.
    func writeRecipe(replacing replacesRun: Bool) throws {
        let place = output.appendingPathComponent("recipe.yaml")
        if let recipe {
            try AtomicFile.write(Data(recipe.utf8), to: place)
        } else if replacesRun {
            try? FileManager.default.removeItem(at: place)
        }
    }

    /// Writes what was trained, and takes away what an earlier run left that does not belong to it.
    func save(_ setup: Setup, replacing replacesRun: Bool) throws {
        if let adapter = setup.trainee.adapter {
            try AdapterFolder.write(
                adapter, task: task.adapterTask, baseModel: baseName,
                baseRevision: baseReference?.revision, seed: options.seed, to: output)
            if replacesRun { remove(Self.modelNames) }
        } else {
            let files = Self.companionNames.map(tokenizerFolder.appendingPathComponent)
            try ModelFolder.write(
                try ModelFolder.checkpointWeights(of: setup.trainee.model),
                fields: fields(setup), head: task.headMeaning, copying: files, to: output)
            let lacking = files.filter { !FileManager.default.fileExists(atPath: $0.path) }
            if replacesRun { remove(Self.adapterNames + lacking.map(\.lastPathComponent)) }
        }
        if replacesRun { remove(ChatTemplate.writtenNames + Self.formerNames) }
        if let template = setup.template ?? chatTemplate {
            try template.write(to: output)
        } else {
            try ChatTemplate.copy(from: tokenizerFolder, to: output)
        }
    }

    private func remove(_ names: [String]) {
        for name in names {
            try? FileManager.default.removeItem(at: output.appendingPathComponent(name))
        }
    }

    private func fields(_ setup: Setup) -> [String: Any] {
        var fields = setup.configuration.fieldsWithNulls
        if case .new = base, let model = setup.trainee.model as? any CausalModel {
            fields["architectures"] = [model.className]
            // The reference's own choice is LLaMA's, whatever the tokenizer.
            let known = setup.configuration.fields
            if let id = known["bos_token_id"] ?? setup.tokenizer.beginningOfTextID {
                fields["bos_token_id"] = id
            }
            if let id = known["eos_token_id"] ?? setup.tokenizer.endOfTextID {
                fields["eos_token_id"] = id
            }
        }
        return fields
    }
}
