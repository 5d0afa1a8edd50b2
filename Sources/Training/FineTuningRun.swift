import DualAdapters
import DualChat
import DualGeneration
import DualModels
import DualModules
import DualTasks
import DualTokenization
import DualTorch
import Foundation

/// One training from folders to a folder: what `duallora train` and `duallora pretrain` do.
public struct FineTuningRun {
    /// What is trained.
    public enum Base: Equatable, Sendable {
        /// A model's folder.
        case model(URL)
        /// A new decoder of random weights: its `config.json`, and the folder of its tokenizer.
        case new(configuration: URL, tokenizer: URL)
    }

    /// A repository of the hub.
    public struct BaseReference: Equatable, Sendable {
        public let name: String
        public let revision: String?

        public init(name: String, revision: String? = nil) {
            (self.name, self.revision) = (name, revision)
        }
    }

    public var base: Base
    /// What the records call the base that came from the hub; else they name its folder.
    public var baseReference: BaseReference?
    public var task: any TrainingTask
    public var data: [URL]
    public var method: any FineTuningMethod
    /// nil for the architecture's default.
    public var targets: TargetSelection?
    /// Modules of the model that train whole beside an adapter.
    public var modulesToSave: [String] = []
    public var output: URL
    public var options: TrainingOptions
    public var computeType = DType.bfloat16
    public var device = Device.cpu
    public var resume = false
    /// What puts conversations into words, and goes into the output folder; nil for the model's own.
    public var chatTemplate: ChatTemplate?
    /// What made the run, for `recipe.yaml` in the output folder; nil for no such file.
    public var recipe: String?

    public init(
        base: Base, task: any TrainingTask, data: [URL], method: any FineTuningMethod,
        output: URL, options: TrainingOptions = TrainingOptions()
    ) {
        self.base = base
        self.task = task
        self.data = data
        self.method = method
        self.output = output
        self.options = options
    }

    /// A task of sentences, on a model's folder.
    public init(
        model: URL, task: any SentenceTask.Type, data: URL, method: any FineTuningMethod,
        output: URL, options: TrainingOptions = TrainingOptions()
    ) {
        self.init(
            base: .model(model), task: SentenceTraining(task), data: [data], method: method,
            output: output, options: options)
    }

    /// What a run tells while it goes.
    public enum Event {
        /// What the user should know, in a sentence.
        case note(String)
        case started(trainable: Int, total: Int, examples: Int, steps: Int, doneSteps: Int)
        case training(TrainingEvent)
    }

    /// Everything that a run works on, loaded and checked.
    private struct Setup {
        let configuration: ConfigurationFile
        let tokenizer: Tokenizer
        let trainer: Trainer
        let trainee: Trainee
        let scorer: any Scorer
        let exampleCount: Int
        /// In whose words the examples are, if they are in a template's.
        let template: ChatTemplate?
        let notes: [String]
    }

    /// Trains, and writes the adapter (or, for full fine-tuning, the model), the log, the result and
    /// the picture into the output folder.
    ///
    /// Everything that can be wrong with the input is found before the output folder is touched.
    /// - Parameter shouldStop: asked after every step; true leaves a checkpoint and stops.
    public func run(
        shouldStop: () -> Bool = { false }, report: (Event) throws -> Void
    ) throws -> RunResult {
        let setup = try prepare()
        let folder = try OutputFolder(output)
        do {
            return try train(setup, shouldStop: shouldStop, report: report)
        } catch {
            if !leavesWork(error) { folder.removeIfCreated() }
            throw error
        }
    }

    /// Whether a run that failed has something worth keeping: a checkpoint to go on from, or the log
    /// of a loss that went astray.
    private func leavesWork(_ error: any Error) -> Bool {
        if case .notFinite? = error as? TrainingError { return true }
        return CheckpointFolder(checkpointsPlace, identity: [:]).newest != nil
    }

    private var checkpointsPlace: URL { output.appendingPathComponent("checkpoints") }

    private func prepare() throws -> Setup {
        if case .new = base { try options.check(fewestSteps: 0) } else { try options.check() }
        let data = try task.read(data)
        let folder = try modelFolder()
        let tokenizer = try Tokenizer.load(from: tokenizerFolder)
        let (loaded, configuration) = try load(folder)
        if case .new = base, tokenizer.vocabularySize > loaded.model.vocabularySize {
            throw configuration.bad(
                "vocab_size", found: "\(loaded.model.vocabularySize)",
                expected: "at least the tokenizer's \(tokenizer.vocabularySize)")
        }
        var options = options
        options.batchSize = options.batchSize ?? task.defaults.batchSize
        let encoder = TaskEncoder(
            tokenizer,
            template: task.usesTemplate
                ? try chatTemplate ?? ChatTemplate.load(from: tokenizerFolder) : nil,
            maximumLength: try maximumLength(on: loaded.model),
            stopTokens: try stopTokens(folder, tokenizer))
        let encoded = try data.encode(for: loaded, with: encoder, device: device)
        guard let examples = encoded.training, !examples.lengths.isEmpty else {
            throw TrainingError.badOption(name: "data", reason: "it has no examples to train on")
        }
        let generator = try Generator(seed: options.seed)
        let trainee = try Trainee(
            loaded.model, method: started(tokenizer), targets: targets,
            modulesToSave: modulesToSave,
            using: generator)
        // A resumed run has what was found then in its checkpoint.
        let seen = resume ? 0 : try trainee.calibrate(on: examples)
        let trainer = try Trainer(
            trainee, on: examples, scorer: encoded.scorer, options: options,
            using: device.kind == .cpu ? generator : Generator(seed: options.seed, device: device))
        return Setup(
            configuration: configuration, tokenizer: tokenizer, trainer: trainer, trainee: trainee,
            scorer: encoded.scorer,
            exampleCount: examples.lengths.count, template: encoded.template,
            notes: loaded.notes() + encoded.notes
                + (seen > 0 ? ["the adapter begins at what \(seen) training examples show"] : []))
    }

    /// Tokens that an example is cut to: virtual tokens take some of the model's positions.
    private func maximumLength(on model: any TransformerModel) throws -> Int {
        let wanted = options.maximumLength ?? task.defaults.maximumLength
        guard let positions = model.maximumLength else { return wanted }
        let room = positions - method.virtualTokens
        guard method.virtualTokens == 0 || room >= AdaptedModel.fewestPositions else {
            throw TrainingError.badOption(
                name: "virtual-tokens",
                reason: "\(method.virtualTokens) leave too few of the model's \(positions) "
                    + "positions to a text")
        }
        return min(wanted, room)
    }

    /// Tokens that end what the model generates.
    private func stopTokens(_ folder: ModelFolder?, _ tokenizer: Tokenizer) throws -> [Int] {
        guard let folder else { return tokenizer.endOfTextID.map { [$0] } ?? [] }
        return try GenerationOptions.stopTokens(of: folder, tokenizer: tokenizer)
    }

    /// The method with the tokens of the text that it starts from, if it starts from one.
    private func started(_ tokenizer: Tokenizer) throws -> any FineTuningMethod {
        guard var method = method as? any TextInitialized, let text = method.initialText else {
            return method
        }
        method.start(
            from: try tokenizer.encode(text).ids, tokenizer: tokenizerFolder.relativePath)
        return method
    }

    /// The folder of the model, if there is one already.
    private func modelFolder() throws -> ModelFolder? {
        guard case .model(let url) = base else { return nil }
        return try ModelFolder(url)
    }

    private func load(_ folder: ModelFolder?) throws -> (LoadedModel, ConfigurationFile) {
        var loading = ModelFolder.LoadOptions()
        loading.computeType = computeType
        loading.weights = method is any AdapterMethod ? .computeType : .float32
        loading.device = device
        loading.labels = task.labelCount
        loading.seed = options.seed
        if let folder { return (try folder.load(loading), folder.configuration) }
        guard case .new(let file, _) = base else { throw ModelError.noFolder(path: baseName) }
        let configuration = try ConfigurationFile(file)
        return (try ModelFolder.make(configuration, loading), configuration)
    }

    private var tokenizerFolder: URL {
        switch base {
        case .model(let url), .new(_, let url): url
        }
    }

    /// What the run started from, for the records.
    private var baseName: String {
        if let baseReference { return baseReference.name }
        return switch base {
        case .model(let url), .new(let url, _): url.relativePath
        }
    }

    private func train(
        _ setup: Setup, shouldStop: () -> Bool, report: (Event) throws -> Void
    ) throws -> RunResult {
        let trainer = setup.trainer
        for note in setup.notes { try report(.note(note)) }
        let checkpoints = CheckpointFolder(
            checkpointsPlace, identity: identity(of: setup.trainer, examples: setup.exampleCount))
        if !resume { checkpoints.remove() }
        let done = resume ? try checkpoints.restore(trainer) : 0
        let log = try RunLog(output.appendingPathComponent("train.jsonl"), resumedStep: done)
        try report(
            .started(
                trainable: setup.trainee.trainableCount, total: setup.trainee.totalCount,
                examples: setup.exampleCount, steps: trainer.totalSteps, doneSteps: done))
        if let recipe {
            let place = output.appendingPathComponent("recipe.yaml")
            try AtomicFile.write(Data(recipe.utf8), to: place)
        }
        // The scores before the first step, or those that a log has lost.
        if trainer.isAtEvaluation, !log.evaluations.contains(where: { $0.step == done }),
            let record = try trainer.score()
        {
            try log.add(record)
            try report(.training(.evaluated(record)))
        }
        try trainer.run(checkpoints: checkpoints, shouldStop: shouldStop) { event in
            switch event {
            case .step(let record): try log.add(record)
            case .evaluated(let record): try log.add(record)
            case .checkpoint: break
            }
            try report(.training(event))
        }
        return try finish(setup, log, checkpoints)
    }

    /// Writes what the run came to.
    private func finish(
        _ setup: Setup, _ log: RunLog, _ checkpoints: CheckpointFolder
    ) throws -> RunResult {
        try save(setup)
        let result = result(setup, log)
        let run = LossCurve.Run(
            name: type(of: method).facts.title, steps: log.steps, evaluations: log.evaluations)
        let picture = try LossCurve.png(of: [run], title: task.title, metric: task.primaryMetric)
        try AtomicFile.write(picture, to: output.appendingPathComponent("loss.png"))
        try result.write(to: output.appendingPathComponent("result.json"))
        if options.checkpointSteps == nil { checkpoints.remove() }
        return result
    }

    private func save(_ setup: Setup) throws {
        if let adapter = setup.trainee.adapter {
            try AdapterFolder.write(
                adapter, task: task.adapterTask, baseModel: baseName,
                baseRevision: baseReference?.revision, seed: options.seed, to: output)
        } else {
            try ModelFolder.write(
                try ModelFolder.checkpointWeights(of: setup.trainee.model),
                fields: fields(setup), head: task.headMeaning,
                copying: (Tokenizer.fileNames + ModelFolder.companionNames)
                    .map(tokenizerFolder.appendingPathComponent),
                to: output)
        }
        if let template = setup.template ?? chatTemplate {
            try template.write(to: output)
        } else {
            try ChatTemplate.copy(from: tokenizerFolder, to: output)
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

    private func result(_ setup: Setup, _ log: RunLog) -> RunResult {
        let (tokens, seconds) = setup.trainer.throughput
        let last = log.evaluations.last
        return RunResult(
            task: task.name, metric: task.primaryMetric,
            value: last?.metrics[task.primaryMetric] ?? nil, metrics: last?.metrics ?? [:],
            loss: last?.evaluationLoss,
            before: log.evaluations.first { $0.step == 0 }, method: type(of: method).facts.name,
            model: baseName, trainableParameters: setup.trainee.trainableCount,
            methodParameters: setup.trainee.methodCount, totalParameters: setup.trainee.totalCount,
            steps: setup.trainer.progress.step,
            bestStep: options.keepsBest ? setup.trainer.finalStep : nil, seconds: seconds,
            tokensPerSecond: seconds > 0 ? Double(tokens) / seconds : 0,
            peakMemoryMiB: peakMemoryMiB(), seed: options.seed, dtype: computeType.rawValue,
            device: device.description, threads: TorchRuntime.threads,
            versions: ["duallora": packageVersion, "libtorch": TorchRuntime.version])
    }
}

extension Objective {
    /// What a saved head says of itself.
    var headMeaning: ModelFolder.HeadMeaning {
        switch self {
        case .classes(let names): .classes(names)
        case .regression: .regression
        }
    }
}

/// The version of this package.
public let packageVersion = "0.1.0"
