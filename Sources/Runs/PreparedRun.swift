import DualAdapters
import DualChat
import DualGGUF
import DualJSON
import DualModels
import DualModules
import DualTasks
import DualTokenization
import DualTorch
import DualTraining
import Foundation

/// All that a run works on, loaded and checked.
struct PreparedRun {
    let run: FineTuningRun
    let configuration: ConfigurationFile
    let tokenizer: Tokenizer
    /// The tokenizer's files, where tokens were added.
    let extendedTokenizer: ExtendedTokenizer?
    let trainer: Trainer
    let exampleCount: Int
    /// In whose words the examples are, if they are in a template's.
    let template: ChatTemplate?
    /// What a template that asks for the time was told.
    let templateDate: Date?
    /// The longest sequence that the model takes; nil for any.
    let positions: Int?
    /// What the model is computed in.
    let computeType: ComputeTypeChoice
    /// Digests of what is read, by what that is.
    let digests: [String: String]
    /// What the user should know, in sentences.
    let notes: [String]

    var trainee: Trainee { trainer.trainee }

    /// Reads data, tokenizer and model, and checks what can be wrong with them.
    init(_ run: FineTuningRun) throws {
        if case .new = run.base {
            try run.options.check(fewestSteps: 0)
        } else {
            try run.options.check()
        }
        try run.start?.check(run)
        let data = try run.task.read(run.data)
        let folder = try run.modelFolder()
        let extended = try run.extendedTokenizer()
        let tokenizer = try extended?.tokenizer ?? Tokenizer.load(from: run.tokenizerFiles())
        computeType = run.computeTypeChoice()
        let (loaded, configuration) = try run.load(folder, in: computeType.dtype)
        let baseTokens = loaded.model.vocabularySize
        if extended != nil, tokenizer.vocabularySize > baseTokens {
            try loaded.model.resizeVocabulary(to: tokenizer.vocabularySize)
        }
        if let start = run.start {
            try loaded.model.resizeVocabulary(
                to: start.vocabularySize(for: loaded.model, tokenizer))
        }
        if case .new = run.base, tokenizer.vocabularySize > loaded.model.vocabularySize {
            throw configuration.bad(
                "vocab_size", found: "\(loaded.model.vocabularySize)",
                expected: "at least the tokenizer's \(tokenizer.vocabularySize)")
        }
        let templateDate = try run.dateForTemplate()
        let encoder = try run.encoder(tokenizer, for: loaded.model, in: folder, date: templateDate)
        let encoded = try encoder.advising {
            try data.encode(for: loaded, with: encoder, device: run.device)
        }
        guard let examples = encoded.training, !examples.lengths.isEmpty else {
            throw TrainingError.badOption(name: "data", reason: "it has no examples to train on")
        }
        if encoded.scorer == nil { try run.options.checkWithoutScores() }
        var options = run.options
        options.batchSize = options.batchSize ?? run.task.defaults.batchSize
        let generator = try Generator(seed: options.seed)
        let trainee =
            try run.start?.trainee(on: loaded.model, method: run.method)
            ?? Trainee(
                loaded.model, method: run.started(tokenizer), targets: run.targets,
                modulesToSave: run.modulesToSave, tokens: extended?.tokens.map(\.id) ?? [],
                using: generator)
        if !trainee.startsTrained { try trainee.adapter?.checkPatterns() }
        trainee.decaysVectors = run.decaysVectors
        try encoded.scorer?.check(trainee.model)
        // A resumed run has what was found then in its checkpoint.
        let isBegun = run.resume || trainee.startsTrained
        let seen = isBegun ? 0 : try trainee.calibrate(on: examples)
        trainer = try Trainer(
            trainee, on: examples, scorer: encoded.scorer, options: options,
            using: run.device.kind == .cpu
                ? generator : Generator(seed: options.seed, device: run.device))
        (self.run, self.configuration, self.tokenizer) = (run, configuration, tokenizer)
        extendedTokenizer = extended
        positions = try run.positions()
        exampleCount = examples.lengths.count
        (template, self.templateDate) = (encoded.template, templateDate)
        digests = Fingerprint.digests(of: examples, encoded.scorer).merging([
            "base model": try Fingerprint.digest(of: run.base, configuration)
        ]) { $1 }.merging(try run.start.map { ["adapter to begin with": try $0.digest()] } ?? [:]) {
            $1
        }
        var notes = loaded.notes()
        if let extended { notes.append(extended.note(in: loaded.model, of: baseTokens)) }
        notes += (trainee.adapter?.notes ?? []) + encoder.notes + encoded.notes
        if seen > 0 { notes.append("the adapter begins at what \(seen) training examples show") }
        if let start = run.start {
            notes.append("the run begins with the adapter in \(start.folder.relativePath)")
        }
        if trainer.learnsNothing { notes.append(Self.learnsNothing(trainer)) }
        self.notes = notes
    }

    /// The rate of a warm-up's first step is 0, as transformers has it.
    private static func learnsNothing(_ trainer: Trainer) -> String {
        "the learning rate is 0 in every step of the run, for \(trainer.warmupSteps) of its "
            + "\(trainer.totalSteps) are warm-up, which begins at 0: nothing will train; with "
            + "`warmup-steps` 0 or more `steps` something does"
    }

    /// Trains from the start, or from the newest checkpoint of a run that is resumed.
    func train(
        into folder: RunFolder, shouldStop: () -> Bool,
        report: (FineTuningRun.Event) throws -> Void
    ) throws -> RunResult {
        func reportNotes() throws {
            for note in folder.takeNotes() { try report(.note(note)) }
        }
        for note in notes { try report(.note(note)) }
        switch computeType.remark {
        case .note(let text): try report(.note(text))
        case .warning(let text): try report(.warning(text))
        case nil: break
        }
        let done = try folder.open(self)
        try reportNotes()
        try report(
            .started(
                trainable: trainee.trainableCount, total: trainee.totalCount,
                examples: exampleCount, steps: trainer.totalSteps, doneSteps: done))
        try folder.writeRecipe()
        try trainer.run(into: folder, shouldStop: shouldStop) {
            try report(.training($0))
            try reportNotes()
        }
        return try folder.finish(self)
    }
}

extension Fingerprint {
    /// Digests of the examples that train, and of those that score.
    fileprivate static func digests(
        of examples: any TrainingSet, _ scorer: (any Scorer)?
    ) -> [String: String] {
        var (training, dev) = (Fingerprint(), Fingerprint())
        examples.add(to: &training)
        scorer?.add(to: &dev)
        return ["set of examples": training.text, "set of dev examples": dev.text]
    }
}

// What the parts of a run are loaded as.
extension FineTuningRun {
    /// What turns the task's text into the model's numbers.
    fileprivate func encoder(
        _ tokenizer: Tokenizer, for model: any TransformerModel, in folder: ModelFolder?,
        date: Date?
    ) throws -> TaskEncoder {
        var template = try usedTemplate()
        template?.variables = templateVariables
        template?.date = date
        return try TaskEncoder(
            tokenizer, for: task, folder: folder, template: template,
            maximumLength: options.maximumLength, positions: room(in: model.maximumLength),
            seed: options.seed)
    }

    /// What puts the conversations into words; nil where there are none, or no template.
    private func usedTemplate() throws -> ChatTemplate? {
        guard task.usesTemplate else { return nil }
        if let chatTemplate { return chatTemplate }
        let places = (start.map { [$0.folder] } ?? []) + [tokenizerFolder, baseFolder]
        return try ChatTemplate.load(fromFirstOf: places.map(ModelFiles.init(of:)))
    }

    /// What a template that asks for the time is told, so that a run can be made again: what is set, else
    /// what the run was told that is resumed, else now, to the second; nil where it does not ask.
    public func dateForTemplate() throws -> Date? {
        guard let template = try usedTemplate(), template.asksForDate else { return nil }
        if let templateDate { return templateDate }
        let saved = resume ? RunFolder(of: self).checkpoints.newestIdentity : nil
        let text = saved?.flags[RunIdentity.templateDate] ?? ChatTemplate.text(of: Date())
        return ChatTemplate.date(text)
    }

    /// What the model is computed in: what is set, else the type that the run which is resumed began with,
    /// else what suits the device.
    public func computeTypeChoice() -> ComputeTypeChoice {
        guard computeType == nil, resume,
            let saved = RunFolder(of: self).checkpoints.newestIdentity,
            let began = saved.flag(RunIdentity.computeType).flatMap(DType.init(rawValue:))
        else { return ComputeTypeChoice(computeType, on: device) }
        return ComputeTypeChoice(goingOnIn: began, on: device)
    }

    /// Whether vectors of the adapter decay: a run goes on by the rule that it began with.
    fileprivate var decaysVectors: Bool {
        guard resume, let saved = RunFolder(of: self).checkpoints.newestIdentity else {
            return true
        }
        return saved.flags[RunIdentity.decayingVectors] != nil
    }

    /// The longest sequence that the model takes beside the method's virtual tokens, by its configuration
    /// alone; nil for any.
    /// - Throws: ``ConfigurationError``, ``ModelError``, ``TrainingError``.
    public func positions() throws -> Int? {
        switch base {
        case .model(let url):
            try room(in: ModelFolder.positions(of: ModelFolder(url).configuration))
        case .new(let file, _): try room(in: ModelFolder.positions(of: ConfigurationFile(file)))
        }
    }

    /// What the method's virtual tokens leave of a model's positions.
    private func room(in positions: Int?) throws -> Int? {
        guard let positions else { return nil }
        let virtualTokens = (method as? any VirtualTokenMethod)?.virtualTokens ?? 0
        let room = positions - virtualTokens
        guard virtualTokens == 0 || room >= AdaptedModel.fewestPositions else {
            throw TrainingError.badOption(
                name: "virtual-tokens",
                reason: "\(virtualTokens) leave too few of the model's \(positions) "
                    + "positions to a text")
        }
        return room
    }

    /// The method with the tokens of the text that it starts from, if it starts from one.
    fileprivate func started(_ tokenizer: Tokenizer) throws -> any FineTuningMethod {
        guard var method = method as? any TextInitialized, let text = method.initialText else {
            return method
        }
        method.start(
            from: try tokenizer.encode(text).ids, tokenizer: tokenizerFolder.relativePath)
        return method
    }

    /// The folder of the model, if there is one already.
    fileprivate func modelFolder() throws -> ModelFolder? {
        guard case .model(let url) = base else { return nil }
        return try ModelFolder(url)
    }

    fileprivate func load(
        _ folder: ModelFolder?, in computeType: DType
    ) throws -> (LoadedModel, ConfigurationFile) {
        var loading = ModelFolder.LoadOptions()
        loading.computeType = computeType
        loading.weights = method is any AdapterMethod ? .narrower : .float32
        loading.device = device
        loading.quantization = quantization
        loading.labels = task.labelCount
        loading.seed = options.seed
        if let folder { return (try folder.load(loading), folder.configuration) }
        guard case .new(let file, _) = base else { throw ModelError.noFolder(path: baseName) }
        let configuration = try ConfigurationFile(file)
        return (try ModelFolder.make(configuration, loading), configuration)
    }
}

extension TrainingOptions {
    /// Refuses what asks for scores where nothing is held out to score on.
    fileprivate func checkWithoutScores() throws {
        let wishes = [
            ("keep-best", keepsBest), ("patience", patience != nil),
            ("evaluation-steps", evaluationSteps != nil),
        ]
        guard let wish = wishes.first(where: \.1) else { return }
        throw TrainingError.badOption(
            name: "dev-share", reason: "0 leaves nothing to score on, which `\(wish.0)` needs")
    }
}
