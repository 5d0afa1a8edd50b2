import DualTasks
import DualTorch
import DualTraining
import Foundation

/// `result.json`: what a run came to.
public struct RunResult: Codable, Equatable, Sendable {
    public var task: String
    /// The primary metric's name.
    public var metric: String
    /// Its value on the dev split for what the run ended with; null where it is not defined.
    @Nullable public var value: Double?
    public var metrics: [String: Double?]
    /// The dev loss; null where nothing scored.
    @Nullable public var loss: Double?
    /// The scores before the first step; null if the log of a resumed run was lost.
    @Nullable public var before: EvaluationRecord?
    /// Whether the examples were in the words of a chat template; null in results of earlier versions.
    public var usesChatTemplate: Bool?
    public var method: String
    public var model: String
    /// The folder of the adapter that the run began with; nil for a fresh one.
    public var startAdapter: String?
    /// Numbers that trained, the head among them.
    public var trainableParameters: Int
    /// Those without the head: what the method trains.
    public var methodParameters: Int
    public var totalParameters: Int
    /// Steps done: fewer than were asked for where the run ended early.
    public var steps: Int
    /// The step after which the dev loss was lowest, where the run ended with what it had then.
    public var bestStep: Int?
    /// Of training, without evaluation.
    public var seconds: Double
    public var tokensPerSecond: Double
    public var peakMemoryMiB: Double
    public var seed: UInt64
    public var dtype: String
    /// What the frozen weights of linear layers were quantised to; nil for what they were.
    public var quantization: String?
    public var device: String
    public var threads: Int
    public var versions: [String: String]

    enum CodingKeys: String, CodingKey {
        case task, metric, value, metrics, loss, before, method, model, steps, seconds, seed, dtype
        case quantization = "quantize"
        case device, threads, versions
        case bestStep = "best_step"
        case usesChatTemplate = "chat_template"
        case startAdapter = "from_adapter"
        case trainableParameters = "trainable_parameters"
        case methodParameters = "method_parameters"
        case totalParameters = "total_parameters"
        case tokensPerSecond = "tokens_per_second"
        case peakMemoryMiB = "peak_memory_mib"
    }

    public func write(to url: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try AtomicFile.write(encoder.encode(self) + Data("\n".utf8), to: url)
    }
}

extension RunResult {
    /// - Parameter evaluations: all of the run, in order.
    init(of prepared: PreparedRun, _ evaluations: [EvaluationRecord]) {
        let (run, trainer, trainee) = (prepared.run, prepared.trainer, prepared.trainee)
        let (tokens, seconds) = trainer.throughput
        let last = evaluations.last
        self.init(
            task: run.task.name, metric: run.task.primaryMetric,
            value: last?.metrics[run.task.primaryMetric] ?? nil, metrics: last?.metrics ?? [:],
            loss: last?.evaluationLoss, before: evaluations.first { $0.step == 0 },
            usesChatTemplate: prepared.template != nil, method: type(of: run.method).facts.name,
            model: run.baseName, startAdapter: run.start?.folder.relativePath,
            trainableParameters: trainee.trainableCount, methodParameters: trainee.methodCount,
            totalParameters: trainee.totalCount, steps: trainer.progress.step,
            bestStep: run.options.keepsBest ? trainer.finalStep : nil, seconds: seconds,
            tokensPerSecond: seconds > 0 ? Double(tokens) / seconds : 0,
            peakMemoryMiB: DualTraining.peakMemoryMiB(), seed: run.options.seed,
            dtype: prepared.computeType.dtype.rawValue,
            quantization: run.quantization?.rawValue,
            device: run.device.description, threads: TorchRuntime.threads,
            versions: ["duallora": packageVersion, "libtorch": TorchRuntime.version])
    }
}
