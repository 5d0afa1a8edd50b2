import DualAdapters
import DualChat
import DualGeneration
import DualModels
import DualModules
import DualTokenization
import DualTorch
import Foundation

// What a run needs before its first step.
extension FineTuningRun {
    /// Everything that a run works on, loaded and checked.
    struct Setup {
        let configuration: ConfigurationFile
        let tokenizer: Tokenizer
        let trainer: Trainer
        let trainee: Trainee
        let exampleCount: Int
        /// In whose words the examples are, if they are in a template's.
        let template: ChatTemplate?
        /// What a template that asks for the time was told.
        let templateDate: Date?
        /// Of the examples that train, and of those that score.
        let digests: (training: String, dev: String)
        let baseDigest: String
        let notes: [String]
    }

    /// Reads data, tokenizer and model, and checks what can be wrong with them.
    func prepare() throws -> Setup {
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
        let templateDate = try dateForTemplate()
        let encoder = try encoder(tokenizer, for: loaded.model, in: folder, date: templateDate)
        let encoded = try data.encode(for: loaded, with: encoder, device: device)
        guard let examples = encoded.training, !examples.lengths.isEmpty else {
            throw TrainingError.badOption(name: "data", reason: "it has no examples to train on")
        }
        let generator = try Generator(seed: options.seed)
        let trainee = try Trainee(
            loaded.model, method: started(tokenizer), targets: targets,
            modulesToSave: modulesToSave, using: generator)
        try encoded.scorer.check(trainee.model)
        // A resumed run has what was found then in its checkpoint.
        let seen = resume ? 0 : try trainee.calibrate(on: examples)
        let trainer = try Trainer(
            trainee, on: examples, scorer: encoded.scorer, options: options,
            using: device.kind == .cpu ? generator : Generator(seed: options.seed, device: device))
        return Setup(
            configuration: configuration, tokenizer: tokenizer, trainer: trainer, trainee: trainee,
            exampleCount: examples.lengths.count, template: encoded.template,
            templateDate: templateDate, digests: digests(of: examples, encoded.scorer),
            baseDigest: try baseDigest(configuration),
            notes: loaded.notes() + encoded.notes
                + (seen > 0 ? ["the adapter begins at what \(seen) training examples show"] : []))
    }

    /// What turns the task's text into the model's numbers.
    private func encoder(
        _ tokenizer: Tokenizer, for model: any TransformerModel, in folder: ModelFolder?,
        date: Date?
    ) throws -> TaskEncoder {
        var template = try usedTemplate()
        template?.variables = templateVariables
        template?.date = date
        return TaskEncoder(
            tokenizer, template: template, maximumLength: try maximumLength(on: model),
            stopTokens: try stopTokens(folder, tokenizer))
    }

    /// What puts the conversations into words; nil where there are none, or no template.
    private func usedTemplate() throws -> ChatTemplate? {
        guard task.usesTemplate else { return nil }
        return try chatTemplate ?? ChatTemplate.load(from: tokenizerFolder)
    }

    /// What a template that asks for the time is told, so that a run can be made again: what is set, else
    /// what the run was told that is resumed, else now, to the second; nil where it does not ask.
    public func dateForTemplate() throws -> Date? {
        guard let template = try usedTemplate(), template.asksForDate else { return nil }
        if let templateDate { return templateDate }
        let saved = resume ? CheckpointFolder(checkpointsPlace).newestIdentity : nil
        let text = saved?.flags[RunIdentity.templateDate] ?? ChatTemplate.text(of: Date())
        return ChatTemplate.date(text)
    }

    private func digests(
        of examples: any TrainingSet, _ scorer: any Scorer
    ) -> (training: String, dev: String) {
        var (training, dev) = (Fingerprint(), Fingerprint())
        examples.add(to: &training)
        scorer.add(to: &dev)
        return (training.text, dev.text)
    }

    /// Tokens that an example is cut to: virtual tokens take some of the model's positions.
    private func maximumLength(on model: any TransformerModel) throws -> Int {
        let wanted = options.maximumLength ?? task.defaults.maximumLength
        guard let positions = model.maximumLength else { return wanted }
        let virtualTokens = (method as? any VirtualTokenMethod)?.virtualTokens ?? 0
        let room = positions - virtualTokens
        guard virtualTokens == 0 || room >= AdaptedModel.fewestPositions else {
            throw TrainingError.badOption(
                name: "virtual-tokens",
                reason: "\(virtualTokens) leave too few of the model's \(positions) "
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
}
