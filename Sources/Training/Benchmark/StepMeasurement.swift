import DualAdapters
import DualTorch
import Foundation

/// Milliseconds of one step's phases, and its loss.
struct StepTimes {
    let forward, backward, optimizer, loss: Double

    var whole: Double { forward + backward + optimizer }
}

/// What the steps of a ``StepBenchmark`` came to: the line of `duallora bench --json`.
public struct StepMeasurement: Encodable, Equatable, Sendable {
    public var tool = "duallora"
    public var method: String
    public var config: String
    public var batch: Int
    public var length: Int
    public var dtype: String
    public var threads = TorchRuntime.threads
    public var medianMilliseconds: Double
    public var leastMilliseconds: Double
    public var mostMilliseconds: Double
    public var tokensPerSecond: Double
    /// The most that was resident at any time, with the process and the model.
    public var peakMemoryMiB = ResidentMemory.peakMiB.tenths
    /// Numbers that train.
    public var trainable: Int
    /// Medians, which need not sum to that of the whole.
    public var forwardMilliseconds: Double
    public var backwardMilliseconds: Double
    public var optimizerMilliseconds: Double
    /// Of the last step.
    public var loss: Double
    public var version = packageVersion
    public var libtorch = TorchRuntime.version
    public var instructionSet = InstructionSet.ofMachine.rawValue

    enum CodingKeys: String, CodingKey {
        case tool, method, config, batch, length, dtype, threads, trainable, loss, version, libtorch
        case medianMilliseconds = "median_ms"
        case leastMilliseconds = "min_ms"
        case mostMilliseconds = "max_ms"
        case tokensPerSecond = "tokens_per_s"
        case peakMemoryMiB = "peak_rss_mib"
        case forwardMilliseconds = "forward_ms"
        case backwardMilliseconds = "backward_ms"
        case optimizerMilliseconds = "optimizer_ms"
        case instructionSet = "instruction_set"
    }

    init(_ times: [StepTimes], trainable: Int, of benchmark: StepBenchmark) {
        let whole = TimeSpread(times.map(\.whole))
        method = type(of: benchmark.method).facts.name
        config = benchmark.configuration.lastPathComponent
        (batch, length) = (benchmark.batch, benchmark.length)
        dtype = benchmark.computeType.rawValue
        medianMilliseconds = whole.median.tenths
        leastMilliseconds = whole.least.tenths
        mostMilliseconds = whole.most.tenths
        tokensPerSecond = (Double(batch * length) / whole.median * 1000).tenths
        self.trainable = trainable
        forwardMilliseconds = TimeSpread(times.map(\.forward)).median.tenths
        backwardMilliseconds = TimeSpread(times.map(\.backward)).median.tenths
        optimizerMilliseconds = TimeSpread(times.map(\.optimizer)).median.tenths
        loss = times.last?.loss ?? .nan
    }
}

extension Double {
    /// Rounded to one digit behind the point.
    var tenths: Double { (self * 10).rounded() / 10 }
}
