import DualAdapters
import DualChat
import DualModels
import DualModules
import DualTasks
import DualTokenization
import DualTorch
import DualTraining
import Foundation

/// The output folder of a run: its log, its checkpoints, what it trained and what came of it.
final class RunFolder {
    private let run: FineTuningRun
    private var output: URL { run.output }
    private(set) var checkpoints: CheckpointFolder
    /// Open while the run trains.
    private var log: RunLog?
    private var prepared: PreparedRun?
    /// Whether an earlier run has been in the folder: only then is anything in it this package's own.
    private var replacesRun = false
    private var isSaved = false

    // Names of what runs write, whatever their method.
    private static let adapterNames = ["adapter_model.safetensors", "adapter_config.json"]
    private static let companionNames = Tokenizer.fileNames + ModelFolder.companionNames
    private static let modelNames = ["model.safetensors", "config.json"] + companionNames
    private static let recordNames = ["train.jsonl", "result.json", "loss.svg", "recipe.yaml"]
    /// What runs of earlier versions wrote.
    private static let formerNames = ["loss.png"]

    init(of run: FineTuningRun) {
        self.run = run
        checkpoints = CheckpointFolder(run.output.appendingPathComponent("checkpoints"))
    }

    /// Refuses an output folder whose files the run reads, for it would write its own over them.
    /// - Throws: ``RunError/ownFolder(path:of:)``.
    func checkPlaces() throws {
        var inputs: [(place: URL, what: String)] = []
        switch run.base {
        case .model(let folder): inputs = [(folder, "the base model")]
        case .new(let configuration, let tokenizer):
            inputs = [
                (tokenizer, "the tokenizer"),
                (configuration.deletingLastPathComponent(), "the configuration"),
            ]
        }
        for place in run.data {
            inputs.append((place, "the data"))
            if Self.recordNames.contains(place.lastPathComponent) {
                inputs.append((place.deletingLastPathComponent(), "the data"))
            }
        }
        for (place, what) in inputs where place.isSameFile(as: output) {
            throw RunError.ownFolder(path: output.path, of: what)
        }
    }

    /// Whether a run that failed has left something of use: what it trained, a checkpoint to go on from,
    /// or the log of a loss that went astray.
    func isWorthKeeping(after error: any Error) -> Bool {
        if case .notFinite? = error as? TrainingError { return true }
        return isSaved || checkpoints.newest != nil
    }

    /// Makes the folder ready for a run's records, and puts a resumed run where it was stopped.
    /// - Returns: steps done.
    func open(_ prepared: PreparedRun) throws -> Int {
        self.prepared = prepared
        checkpoints = CheckpointFolder(checkpoints.url, identity: RunIdentity(of: prepared))
        replacesRun = hasRun
        if !run.resume { checkpoints.remove() }
        let done = run.resume ? try checkpoints.restore(prepared.trainer) : 0
        removeLeftovers()
        log = try RunLog(output.appendingPathComponent("train.jsonl"), resumedStep: done)
        return done
    }

    private var hasRun: Bool {
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
    private func removeLeftovers() {
        AtomicFile.removeLeftovers(
            of: Self.adapterNames + Self.modelNames + Self.recordNames, in: output)
    }

    /// Writes the recipe; that of another run does not stand beside a run that has none.
    func writeRecipe() throws {
        let file = output.appendingPathComponent("recipe.yaml")
        if let recipe = run.recipe {
            try AtomicFile.write(Data(recipe.utf8), to: file)
        } else if replacesRun {
            try? FileManager.default.removeItem(at: file)
        }
    }

    /// Writes what the run came to.
    func finish(_ prepared: PreparedRun) throws -> RunResult {
        let (steps, evaluations) = (log?.steps ?? [], log?.evaluations ?? [])
        let result = RunResult(of: prepared, evaluations)
        let curve = LossCurve.Run(
            name: type(of: run.method).facts.title, steps: steps, evaluations: evaluations)
        let picture = LossCurve.svg(
            of: [curve], data: LossCurve.title(of: run.data, task: run.task.name),
            metric: run.task.primaryMetric)
        try AtomicFile.write(picture, to: output.appendingPathComponent("loss.svg"))
        try result.write(to: output.appendingPathComponent("result.json"))
        if run.options.checkpointSteps == nil { checkpoints.remove() }
        return result
    }
}

extension RunFolder: TrainingStore {
    func record(_ event: TrainingEvent) throws {
        switch event {
        case .step(let record): try log?.add(record)
        case .evaluated(let record): try log?.add(record)
        case .predicted(let evaluation):
            if let file = run.predictions { try evaluation.writePredictions(to: file) }
        case .checkpoint, .scoring, .trained: break
        }
    }

    func hasEvaluation(afterStep step: Int) -> Bool {
        log?.evaluations.contains { $0.step == step } ?? false
    }

    func writeCheckpoint(_ state: TrainerState) throws -> String {
        try checkpoints.write(state).path
    }

    var newestCheckpoint: String? { checkpoints.newest?.path }

    /// Writes what was trained, and takes away what an earlier run left that does not belong to it.
    func save(_ trainee: Trainee) throws {
        if let adapter = trainee.adapter {
            try AdapterFolder.write(
                adapter, task: run.task.adapterTask, baseModel: run.baseName,
                baseRevision: run.baseReference?.revision, seed: run.options.seed, to: output)
            if replacesRun { remove(Self.modelNames) }
        } else {
            let files = Self.companionNames.map(run.tokenizerFolder.appendingPathComponent)
            try ModelFolder.write(
                try ModelFolder.checkpointWeights(of: trainee.model),
                fields: prepared?.modelFields ?? [:], head: run.task.headMeaning,
                copying: files, to: output)
            let lacking = files.filter { !FileManager.default.fileExists(atPath: $0.path) }
            if replacesRun { remove(Self.adapterNames + lacking.map(\.lastPathComponent)) }
        }
        if replacesRun { remove(ChatTemplate.writtenNames + Self.formerNames) }
        if let template = prepared?.template ?? run.chatTemplate {
            try template.write(to: output)
        } else {
            try ChatTemplate.copy(from: run.tokenizerFolder, to: output)
        }
        isSaved = true
    }

    private func remove(_ names: [String]) {
        for name in names {
            try? FileManager.default.removeItem(at: output.appendingPathComponent(name))
        }
    }
}

extension PreparedRun {
    /// What a trained model's `config.json` says, but for its head.
    var modelFields: [String: Any] {
        var fields = configuration.fieldsWithNulls
        if case .new = run.base, let model = trainee.model as? any CausalModel {
            fields["architectures"] = [model.className]
            // The reference's own choice is LLaMA's, whatever the tokenizer.
            let known = configuration.fields
            if let id = known["bos_token_id"] ?? tokenizer.beginningOfTextID {
                fields["bos_token_id"] = id
            }
            if let id = known["eos_token_id"] ?? tokenizer.endOfTextID {
                fields["eos_token_id"] = id
            }
        }
        return fields
    }
}
