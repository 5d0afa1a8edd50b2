import DualAdapters
import DualChat
import DualModels
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

    /// The metrics of an evaluation as a table, where the field prints them as one; nil to list them.
    func table(of metrics: [(name: String, value: Double)]) -> ScoreTable?
}

extension TrainingTask {
    public var usesTemplate: Bool { false }
    public var identity: [String: String] { [:] }
    public var headMeaning: ModelFolder.HeadMeaning? { nil }

    public func table(of metrics: [(name: String, value: Double)]) -> ScoreTable? { nil }
}
