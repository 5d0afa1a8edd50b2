import DualAdapters
import DualChat
import DualDatasets
import DualGGUF
import DualJSON
import DualTasks
import DualTorch
import DualTraining
import Foundation

/// One training from folders to a folder: what `duallora train` and `duallora pretrain` do.
public struct FineTuningRun: Sendable {
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
    /// An adapter that the run begins with, instead of a fresh one; its method is the run's.
    public private(set) var start: StartAdapter?
    /// nil for the architecture's default.
    public var targets: TargetSelection?
    /// Modules of the model that train whole beside an adapter.
    public var modulesToSave: [String] = []
    /// Tokens that are added to the tokenizer; beside an adapter their rows of the embedding and of the
    /// head train.
    public var addedTokens: [String] = []
    public var output: URL
    public var options: TrainingOptions
    /// What the model is computed in; nil for the type that suits the device, or, of a run that is resumed,
    /// for the type that it began with.
    public var computeType: DType?
    public var device = Device.cpu
    /// What the frozen weights of linear layers but the head are quantised to; nil for what they are.
    public var quantization: BlockFormat?
    /// Whether the run goes on from the newest whole checkpoint in the output folder.
    public var resume = false
    /// Whether it takes the place of a run that the output folder holds. That stays as it is until what
    /// the new one trained is saved.
    public var overwrite = false
    /// What puts conversations into words, and goes into the output folder; nil for the model's own.
    public var chatTemplate: ChatTemplate?
    /// What the chat template may ask for besides the conversations.
    public var templateVariables: [String: TemplateValue] = [:]
    /// What a chat template that asks for the time is told; nil for when the run began, before it was
    /// stopped if it goes on.
    public var templateDate: Date?
    /// A file for what the model predicted at the last score, a line each; nil for none.
    public var predictions: URL?
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

    /// A run that goes on from a trained adapter, with an optimizer and a schedule of its own.
    /// - Parameters:
    ///   - method: ``StartAdapter/method(named:_:)``; nil for the adapter's own.
    public init(
        from start: StartAdapter, model: URL, task: any TrainingTask, data: [URL],
        method: (any FineTuningMethod)? = nil, output: URL,
        options: TrainingOptions = TrainingOptions()
    ) {
        self.init(
            base: .model(model), task: task, data: data, method: method ?? start.method,
            output: output, options: options)
        self.start = start
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
    public enum Event: Sendable {
        /// What the user should know, in a sentence.
        case note(String)
        /// The same, of what will cost the user something.
        case warning(String)
        case started(trainable: Int, total: Int, examples: Int, steps: Int, doneSteps: Int)
        case training(TrainingEvent)
    }

    /// Trains, and writes the adapter (or, for full fine-tuning, the model), the log, the result and
    /// the picture into the output folder.
    ///
    /// Everything that can be wrong with the input is found before anything in the output folder is
    /// touched. While the run lasts, no other can write there.
    /// - Parameters:
    ///   - shouldStop: asked after every step, and after every batch of a score; true leaves a checkpoint
    ///     and stops.
    ///   - report: gets every event, in order.
    /// - Throws: ``TrainingError``, ``RunError`` (for a folder that holds a run
    ///   ``RunError/holdsRun(folder:what:files:checkpoint:)``), and the errors of the files that are read.
    public func run(
        shouldStop: () -> Bool = { false }, report: (Event) throws -> Void
    ) throws -> RunResult {
        let folder = RunFolder(of: self)
        try folder.checkPlaces()
        try folder.claim()
        do {
            let prepared = try PreparedRun(self)
            let result = try prepared.train(into: folder, shouldStop: shouldStop, report: report)
            folder.close()
            return result
        } catch {
            folder.leave(after: error)
            throw error
        }
    }

    /// That of the adapter that the run begins with, where it brings a tokenizer, else the base's.
    var tokenizerFolder: URL {
        TokenizerSource(model: baseFolder, adapters: start.map { [$0.folder] } ?? []).folder
    }

    /// The files of that tokenizer.
    func tokenizerFiles() throws -> ModelFiles { try ModelFiles(of: tokenizerFolder) }

    /// The folder with the base's tokenizer.
    var baseFolder: URL {
        switch base {
        case .model(let url), .new(_, let url): url
        }
    }

    /// What the run started from, for the records.
    var baseName: String {
        if let baseReference { return baseReference.name }
        return switch base {
        case .model(let url), .new(let url, _): url.relativePath
        }
    }
}
