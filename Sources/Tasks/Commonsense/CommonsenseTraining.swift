import DualAdapters
import DualDatasets
import DualModels
import DualTorch
import DualTraining
import Foundation

/// A run on commonsense reasoning: the training sets merged, as the Dual LoRA paper has them, and an
/// accuracy on each test set with their plain mean; or one set alone.
public struct CommonsenseTraining: LimitedTask {
    public let sets: [CommonsenseSet]
    /// How examples are written and answers read; the paper follows HiRA's.
    public var preset = CommonsenseProtocol.hira
    /// Test examples of each set, from the first; nil for all.
    public var limit: Int?

    public init(_ sets: [CommonsenseSet] = CommonsenseSet.all) { self.sets = sets }

    private static let nameOfAll = "commonsense"

    private var onlySet: CommonsenseSet? { sets.count == 1 ? sets[0] : nil }

    public var name: String { onlySet?.name ?? Self.nameOfAll }
    public var title: String { onlySet?.title ?? "Commonsense reasoning" }
    public var primaryMetric: String { onlySet == nil ? "average" : "accuracy" }
    public let labelCount: Int? = nil
    public let adapterTask = AdapterFolder.TaskType.causalLanguageModel
    public let headMeaning: ModelFolder.HeadMeaning? = nil
    public let defaults = (batchSize: 16, maximumLength: 256)

    public var identity: [String: String] { ["protocol": preset.rawValue] }

    public func read(_ data: [URL]) throws -> any TaskData {
        let folder = try folder(data)
        let (training, dev) = try split(folder.trainingExamples())
        return CommonsenseData(
            task: self, folder: folder, training: training, dev: dev,
            tests: try folder.testExamples(limit: limit))
    }

    public func readForScoring(_ data: [URL]) throws -> any TaskData {
        let folder = try folder(data)
        let tests = try folder.testExamples(limit: limit)
        return CommonsenseData(
            task: self, folder: folder, training: [], dev: tests.flatMap(\.examples), tests: tests)
    }

    private func folder(_ data: [URL]) throws -> CommonsenseFolder {
        guard data.count == 1 else {
            throw TrainingError.badOption(
                name: "data", reason: "\(name) reads one folder, not \(data.count)")
        }
        try checkLimit()
        return CommonsenseFolder(data[0], sets: sets)
    }

    /// Examples held out for the dev loss. LLM-Adapters and HiRA hold so many out as well, drawn by
    /// generators of Python from these seeds: the draws here are others.
    static let heldOut = 120

    /// Holds examples out: at most ``heldOut``, and no more than a tenth.
    private func split(
        _ examples: [CommonsenseExample]
    ) throws -> (training: [CommonsenseExample], dev: [CommonsenseExample]) {
        let count = min(Self.heldOut, max(1, examples.count / 10))
        guard examples.count > count else {
            throw TrainingError.badOption(
                name: "data", reason: "one example is too few: the dev loss needs another")
        }
        var random = SplitMix64(seed: preset == .llmAdapters ? 42 : 58)
        let drawn = Set(examples.indices.shuffled(using: &random).suffix(count))
        return (
            examples.indices.filter { !drawn.contains($0) }.map { examples[$0] },
            drawn.sorted().map { examples[$0] }
        )
    }
}
