import DualAdapters
import DualChat
import DualDatasets
import DualModels
import DualTorch
import DualTraining
import Foundation

/// A run on instructions and conversations: the answers are learnt.
public struct InstructionTraining: SamplingTask {
    /// What of an example is learnt.
    public enum Learnt: String, CaseIterable, Sendable {
        /// Every answer.
        case responses
        /// A conversation's last answer.
        case lastResponse = "last-response"
        /// The prompts too.
        case everything
    }

    /// What becomes of an example that has too many tokens.
    public enum Truncation: String, CaseIterable, Sendable {
        /// Its last tokens are cut off.
        case end
        /// Its first tokens are cut off, but for the one that begins a text.
        case start
        /// It is left out.
        case drop
    }

    public var files = InstructionFiles()
    public var learnt = Learnt.responses
    public var truncation = Truncation.end
    /// Whether sequences lie one behind the other in a row, instead of being padded to one length.
    public var packs = false
    /// Whether data may train no token that ends an answer.
    public var allowsNoStop = false
    /// Data that scores the model; empty to hold a share of the training examples out.
    public var devData: [URL] = []
    /// What is held out where there is no data to score on.
    public var heldOut = HeldOut()

    /// Examples that score, from the first; nil for all.
    public var limit: Int?
    /// Examples that score whose last answers the model writes.
    public var samples = 0

    public init() {}

    public let name = "instruct"
    public let title = "Instructions"
    public let primaryMetric = "perplexity"
    public let labelCount: Int? = nil
    public let adapterTask = AdapterFolder.TaskType.causalLanguageModel
    public let headMeaning: ModelFolder.HeadMeaning? = nil
    public let defaults = (batchSize: 8, maximumLength: 1024)
    public let usesTemplate = true

    public var identity: [String: String] {
        var identity = [
            "train-on": learnt.rawValue, "truncation": truncation.rawValue,
            "packing": "\(packs)",
            "field": files.fields.spelled.joined(separator: ","),
            "format": files.format?.rawValue ?? "each file's own",
            "documents": files.unit.rawValue, "skip-bad-rows": "\(files.skipsBadRows)",
        ].merging(heldOut.identity) { $1 }
        identity["separator"] = files.separator?.rawValue
        return identity
    }

    public func read(_ data: [URL]) throws -> any TaskData {
        try checkSamples()
        try heldOut.check()
        let beside = try InstructionFiles.files(.dev, of: data)
        let scoring = devData.isEmpty ? (beside == data ? nil : beside) : devData
        let training = try InstructionFiles.files(.train, of: data) ?? []
        try files.check(training)
        if let scoring { try files.check(scoring) }
        return InstructionData(task: self, training: training, dev: scoring)
    }

    public func readForScoring(_ data: [URL]) throws -> any TaskData {
        try checkSamples()
        guard let devFiles = try InstructionFiles.files(.dev, of: data) else {
            throw TaskDataError.missingFile(
                folder: data[0].relativePath, lookedFor: ["dev.jsonl", "dev.json", "dev.csv"])
        }
        try files.check(devFiles)
        return InstructionData(task: self, training: [], dev: devFiles)
    }
}
