import DualAdapters
import DualDatasets
import DualModels
import DualModules
import DualTokenization
import DualTorch
import DualTraining
import Foundation

/// A run on a task of classifying or scoring sentences.
public struct SentenceTraining: LimitedTask {
    public let task: any SentenceTask.Type
    /// Examples that score, from the first; nil for all.
    public var limit: Int?

    public init(_ task: any SentenceTask.Type) { self.task = task }

    public var name: String { task.name }
    public var title: String { task.title }
    public var primaryMetric: String { task.primaryMetric }
    public var labelCount: Int? { Objective(task).labelCount }
    public let adapterTask = AdapterFolder.TaskType.sequenceClassification
    public var headMeaning: ModelFolder.HeadMeaning? { Objective(task).headMeaning }
    public let defaults = (batchSize: 32, maximumLength: 128)
    public let identity: [String: String] = [:]

    public func read(_ data: [URL]) throws -> any TaskData {
        let folder = try folder(data)
        return try SentenceData(
            task: task, training: task.examples(.train, in: folder),
            dev: scored(in: folder))
    }

    private func scored(in folder: URL) throws -> [Example] {
        Array(try task.examples(.dev, in: folder).prefix(limit ?? .max))
    }

    public func readForScoring(_ data: [URL]) throws -> any TaskData {
        try SentenceData(task: task, training: [], dev: scored(in: folder(data)))
    }

    private func folder(_ data: [URL]) throws -> URL {
        try checkLimit()
        guard data.count == 1 else {
            throw TrainingError.badOption(
                name: "data", reason: "\(task.name) reads one folder, not \(data.count)")
        }
        return data[0]
    }
}

/// Sentences with their labels.
private struct SentenceData: TaskData {
    let task: any SentenceTask.Type
    let training, dev: [Example]

    func encode(
        for loaded: LoadedModel, with encoder: TaskEncoder, device: Device
    ) throws -> EncodedTask {
        let model = try loaded.sequenceModel()
        let tokenizer = encoder.tokenizer
        func encode(_ examples: [Example]) throws -> [EncodedExample] {
            try EncodedExample.encode(
                examples, with: tokenizer, for: model, maximumLength: encoder.maximumLength)
        }
        try Objective(task).check(model)
        if !training.isEmpty { try Objective(task).centre(model, on: training) }
        let scorer = SentenceScorer(
            task, try encode(dev), paddingID: tokenizer.paddingID, device: device)
        let set = SentenceSet(
            task, try encode(training), paddingID: tokenizer.paddingID, device: device)
        return EncodedTask(training: training.isEmpty ? nil : set, scorer: scorer)
    }
}
