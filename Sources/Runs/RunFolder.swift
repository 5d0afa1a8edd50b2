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
///
/// A run that replaces another writes into a folder beside its files until what it trained is saved: one
/// that fails before has changed nothing.
final class RunFolder {
    private let run: FineTuningRun
    private var output: URL { run.output }
    /// Where the run writes now: the output folder, or ``aside``.
    private var place: URL
    private(set) var checkpoints: CheckpointFolder
    /// Made and locked while the run is at work.
    private var folder: OutputFolder?
    /// Open while the run trains.
    private var log: RunLog?
    private var prepared: PreparedRun?
    private var isSaved = false
    /// What the user should know and has not been told.
    private var notes: [String] = []

    // Names of what runs write, whatever their method.
    private static let adapterNames = ["adapter_model.safetensors", "adapter_config.json"]
    private static let companionNames = Tokenizer.fileNames + ModelFolder.companionNames
    private static let weightNames = ["model.safetensors", "config.json"]
    static let modelNames = weightNames + companionNames
    private static let recordNames = ["train.jsonl", "result.json", "loss.svg", "recipe.yaml"]
    private static let checkpointsName = "checkpoints"
    private static let asideName = "new-run"
    /// What runs of earlier versions wrote.
    private static let formerNames = ["loss.png"]

    init(of run: FineTuningRun) {
        self.run = run
        let aside = run.output.appendingPathComponent(Self.asideName)
        let replacing = CheckpointFolder(aside.appendingPathComponent(Self.checkpointsName))
        let goesOnAside = run.resume && replacing.newest != nil
        place = goesOnAside ? aside : run.output
        checkpoints = CheckpointFolder(place.appendingPathComponent(Self.checkpointsName))
    }

    /// Where a run stands that replaces the one in the output folder.
    private var aside: URL { output.appendingPathComponent(Self.asideName) }

    private var isAside: Bool { place != output }

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
        if let start = run.start { inputs.append((start.folder, "the adapter to begin with")) }
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

    /// Makes and locks the output folder, and decides where in it the run writes. Nothing that is there is
    /// touched.
    /// - Throws: ``RunError/holdsRun(folder:what:files:checkpoint:)`` and the like, for a folder that is not the
    ///   run's to take.
    func claim() throws {
        guard !(run.resume && run.overwrite) else {
            throw TrainingError.badOption(name: "overwrite", reason: "it does not go with `resume`")
        }
        let folder = try OutputFolder(output)
        self.folder = folder
        do {
            guard !run.resume else { return try checkpoints.checkHasAny() }
            let held = heldNames
            guard !held.isEmpty else { return }
            guard run.overwrite else {
                throw heldRun(held)
            }
            place = aside
            checkpoints = CheckpointFolder(aside.appendingPathComponent(Self.checkpointsName))
        } catch {
            folder.removeIfCreated()
            throw error
        }
    }

    /// Names in the output folder that the run would write, or that would stand for it beside what it
    /// writes.
    private var heldNames: [String] {
        let own =
            Self.recordNames + [Self.checkpointsName, Self.asideName] + Self.weightNames
            + (run.method is any AdapterMethod ? [] : Self.companionNames) + Self.adapterNames
            + ChatTemplate.writtenNames
        return own.filter {
            FileManager.default.fileExists(atPath: output.appendingPathComponent($0).path)
        }
    }

    private func heldRun(_ names: [String]) -> RunError {
        let checkpoint = [aside, output].lazy.compactMap {
            CheckpointFolder($0.appendingPathComponent(Self.checkpointsName)).newest
        }.first
        let what =
            switch (names.contains("result.json"), checkpoint) {
            case (true, _): "a finished run"
            case (false, nil): "files of a run or a model"
            case (false, _): "an interrupted run"
            }
        return .holdsRun(
            folder: output.relativePath, what: what, files: names,
            checkpoint: checkpoint?.lastPathComponent)
    }

    /// Ends the work in the folder after an error: takes away what is of no use.
    func leave(after error: any Error) {
        if isWorthKeeping(after: error) {
            folder?.close()
        } else {
            if isAside { try? FileManager.default.removeItem(at: aside) }
            UnfinishedFiles.drop(aside)
            folder?.removeIfCreated()
        }
    }

    /// Ends the work in the folder.
    func close() { folder?.close() }

    /// Whether a run that failed has left something of use: what it trained, a checkpoint to go on from,
    /// or the log of a loss that went astray.
    private func isWorthKeeping(after error: any Error) -> Bool {
        switch error as? TrainingError {
        case .notFinite: return true
        // What there is of an adapter or a model is all that is left.
        case .unsaved(_, let kept, _): if kept != nil || hasTrainedWeights { return true }
        default: break
        }
        return isSaved || checkpoints.newest != nil
    }

    private var hasTrainedWeights: Bool {
        [Self.adapterNames[0], Self.weightNames[0]].contains {
            FileManager.default.fileExists(atPath: place.appendingPathComponent($0).path)
        }
    }

    /// From now on there is something of use in the folder.
    private func keepFolder() {
        UnfinishedFiles.drop(aside)
        folder?.keep()
    }

    /// What the user should know, once.
    func takeNotes() -> [String] {
        defer { notes = [] }
        return notes + (log?.takeNotes() ?? [])
    }

    /// Makes the folder ready for a run's records, and puts a resumed run where it was stopped.
    /// - Returns: steps done.
    func open(_ prepared: PreparedRun) throws -> Int {
        self.prepared = prepared
        checkpoints = CheckpointFolder(checkpoints.url, identity: RunIdentity(of: prepared))
        if isAside, !run.resume {
            try? FileManager.default.removeItem(at: aside)
            UnfinishedFiles.add(aside)
            try FileManager.default.createDirectory(at: aside, withIntermediateDirectories: true)
        }
        var done = 0
        if run.resume {
            let restored = try checkpoints.restore(prepared.trainer)
            done = restored.step
            notes += restored.notes
            keepFolder()
        }
        removeLeftovers()
        log = try RunLog(place.appendingPathComponent("train.jsonl"), resumedStep: done)
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
            of: Self.adapterNames + Self.modelNames + Self.recordNames, in: place)
    }

    /// Writes the recipe, where the run has one.
    func writeRecipe() throws {
        guard let recipe = run.recipe else { return }
        try AtomicFile.write(Data(recipe.utf8), to: place.appendingPathComponent("recipe.yaml"))
    }

    /// Writes what the run came to.
    func finish(_ prepared: PreparedRun) throws -> RunResult {
        do {
            return try writeResult(prepared)
        } catch {
            throw RunError.unrecorded(reason: "\(error)", folder: output.relativePath)
        }
    }

    private func writeResult(_ prepared: PreparedRun) throws -> RunResult {
        try log?.finish()
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
        case .step(let record): log?.add(record)
        case .evaluated(let record): log?.add(record)
        case .predicted(let evaluation):
            if let file = run.predictions { try evaluation.writePredictions(to: file) }
        case .checkpoint, .checkpointFailed, .scoring, .trained: break
        }
    }

    func hasEvaluation(afterStep step: Int) -> Bool {
        log?.evaluations.contains { $0.step == step } ?? false
    }

    func writeCheckpoint(_ state: TrainerState) throws -> String {
        let checkpoint = try checkpoints.write(state)
        keepFolder()
        return checkpoint.path
    }

    /// In the run's folder, or where that has no room in the system's folder for temporary files.
    func keep(_ state: TrainerState) throws -> String {
        if let last = checkpoints.lastWritten, last.step == state.step { return last.url.path }
        do {
            return try writeCheckpoint(state)
        } catch {
            let elsewhere = FileManager.default.temporaryDirectory.appendingPathComponent(
                "duallora-\(UInt64.random(in: 0...UInt64.max))/\(Self.checkpointsName)")
            var folder = checkpoints.elsewhere(elsewhere)
            guard let checkpoint = try? folder.write(state) else {
                try? FileManager.default.removeItem(at: elsewhere.deletingLastPathComponent())
                throw error
            }
            return "\(checkpoint.path), once it is moved into \(checkpoints.url.path)"
        }
    }

    var newestCheckpoint: String? { checkpoints.newest?.path }

    /// Writes what was trained, and takes away what an earlier run left that does not belong to it.
    func save(_ trainee: Trainee) throws {
        if let adapter = trainee.adapter {
            try AdapterFolder.write(
                adapter, task: run.task.adapterTask, baseModel: run.baseName,
                baseRevision: run.baseReference?.revision, seed: run.options.seed, to: place)
            if let start = run.start { try Tokenizer.copyFiles(from: start.folder, to: place) }
            try prepared?.extendedTokenizer?.write(to: place)
        } else {
            try ModelFolder.write(
                try ModelFolder.checkpointWeights(of: trainee.model),
                fields: prepared?.modelFields ?? [:], head: run.task.headMeaning,
                copying: [], to: place)
            try run.tokenizerFiles().copy(Self.companionNames, to: place)
            try prepared?.extendedTokenizer?.write(to: place)
            try Tokenizer.complete(place)
        }
        if let template = prepared?.template ?? run.chatTemplate {
            try template.write(to: place)
        } else {
            try ChatTemplate.copy(from: run.tokenizerFiles(), to: place)
        }
        if isAside { try replaceEarlierRun() }
        isSaved = true
        keepFolder()
    }

    /// Puts what the run has written in the place of the earlier one's. Only where a run has been is
    /// anything that the new one does not write this package's own, and goes.
    private func replaceEarlierRun() throws {
        let own =
            Self.adapterNames + Self.modelNames + Self.recordNames + Self.formerNames
            + ChatTemplate.writtenNames + [Self.checkpointsName]
        let made = (try? FileManager.default.contentsOfDirectory(atPath: aside.path)) ?? []
        var leaving = hasRun ? own.filter { !made.contains($0) } : []
        // It speaks of the earlier run.
        leaving.append("result.json")
        for name in leaving {
            try? FileManager.default.removeItem(at: output.appendingPathComponent(name))
        }
        try folder?.take(from: aside)
        try? FileManager.default.removeItem(at: aside)
        place = output
        checkpoints.url = output.appendingPathComponent(Self.checkpointsName)
    }
}

extension PreparedRun {
    /// What a trained model's `config.json` says, but for its head.
    var modelFields: [String: Any] {
        var fields = configuration.fieldsWithNulls.withVocabulary(of: trainee.model)
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
