import DualAdapters
import DualModels
import DualTokenization
import DualTorch
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
    /// What decides the examples besides the data, for a run that is resumed.
    var identity: [String: String] { get }

    /// Reads what a run needs, before a model is loaded.
    /// - Throws: an error that names the file and what is wrong with it.
    func read(_ data: [URL]) throws -> any TaskData
    /// Reads what a score needs.
    func readForScoring(_ data: [URL]) throws -> any TaskData
}

/// The data of a task, as text.
public protocol TaskData {
    /// - Returns: the examples that train, none where only a score is wanted, and those that score.
    func encode(
        for loaded: LoadedModel, with tokenizer: Tokenizer, maximumLength: Int, device: Device
    ) throws -> (training: (any TrainingSet)?, scorer: any Scorer)
}
