import DualAdapters
import DualChat
import DualModels
import DualTokenization
import DualTorch
import DualTraining
import Foundation

/// What a run teaches a model: the data it reads, the loss, the scores.
public protocol TrainingTask: Sendable {
    /// The command line's name, such as `cola`.
    var name: String { get }
    /// The name in print, such as `CoLA`.
    var title: String { get }
    var primaryMetric: String { get }
    /// Outputs of the head that the task needs; nil for a language model's own.
    var labelCount: Int? { get }
    /// What an adapter that learnt the task says it is for.
    var adapterTask: AdapterFolder.TaskType { get }
    /// What the head of a model that learnt the task says of itself, if it is the task's own.
    var headMeaning: ModelFolder.HeadMeaning? { get }
    /// Examples of a batch and tokens of an example where the user says nothing.
    var defaults: (batchSize: Int, maximumLength: Int) { get }
    /// Whether examples may be conversations, which a chat template puts into words.
    var usesTemplate: Bool { get }
    /// What decides the examples besides the data, for a run that is resumed.
    var identity: [String: String] { get }

    /// Reads what a run needs, before a model is loaded.
    /// - Throws: an error that names the file and what is wrong with it.
    func read(_ data: [URL]) throws -> any TaskData
    /// Reads what a score needs.
    func readForScoring(_ data: [URL]) throws -> any TaskData
}

extension TrainingTask {
    public var usesTemplate: Bool { false }
}

/// The data of a task, as text.
public protocol TaskData {
    /// The examples in the model's own numbers: those that train, none where only a score is wanted, and
    /// what scores.
    func encode(
        for loaded: LoadedModel, with encoder: TaskEncoder, device: Device
    ) throws -> EncodedTask
}

/// The data of a task whose examples are sequences of tokens, some of which are learnt.
public protocol CompletionData: TaskData {
    func completions(with encoder: TaskEncoder) throws -> Completions
}

/// The examples that train, in the order of the data.
public struct Completions: Sendable {
    public var examples: [CompletionExample]
    /// What the user should know of them, in sentences.
    public var notes: [String]
    /// Rows that could not be used and were left out.
    public var skippedCount: Int

    public init(_ examples: [CompletionExample], notes: [String] = [], skippedCount: Int = 0) {
        self.examples = examples
        self.notes = notes
        self.skippedCount = skippedCount
    }
}

/// What turns a task's text into a model's numbers.
public struct TaskEncoder: Sendable {
    public let tokenizer: Tokenizer
    /// What puts conversations into words; nil where neither the model nor the user has one.
    public let template: ChatTemplate?
    /// The most tokens of an example: no more than the model has positions for.
    public let maximumLength: Int
    /// Tokens that end what the model generates.
    public let stopTokens: [Int]

    public init(
        _ tokenizer: Tokenizer, template: ChatTemplate? = nil, maximumLength: Int,
        stopTokens: [Int] = []
    ) {
        self.tokenizer = tokenizer
        self.template = template
        self.maximumLength = maximumLength
        self.stopTokens = stopTokens
    }
}

/// A task's data in a model's own numbers.
public struct EncodedTask {
    /// nil where only a score is wanted.
    public let training: (any TrainingSet)?
    public let scorer: any Scorer
    /// What the user should know of the data, in sentences.
    public let notes: [String]
    /// The template in whose words the examples are, if they are: it belongs to what is trained.
    public let template: ChatTemplate?

    public init(
        training: (any TrainingSet)?, scorer: any Scorer, notes: [String] = [],
        template: ChatTemplate? = nil
    ) {
        self.training = training
        self.scorer = scorer
        self.notes = notes
        self.template = template
    }
}
