import DualAdapters
import DualTorch
import DualTraining
import Foundation

/// The result of a ``StepBenchmark``: the line of `duallora bench --json`.
package struct StepMeasurement: Encodable, Equatable, Sendable {
    package var tool = "duallora"
    package var method: String
    package var config: String
    package var batch: Int
    package var length: Int
    package var dtype: String
    package var device: String
    package var threads = TorchRuntime.threads
    package var medianMilliseconds: Double
    package var leastMilliseconds: Double
    package var mostMilliseconds: Double
    package var tokensPerSecond: Double
    /// The most that was resident at any time of loading and stepping.
    package var peakMemoryMiB: Double
    /// Numbers that train.
    package var trainable: Int
    /// Medians, which need not sum to that of the whole.
    package var forwardMilliseconds: Double
    package var backwardMilliseconds: Double
    package var optimizerMilliseconds: Double
    /// The adapter's own share of all multiplications that a step cannot do without.
    package var ownShare: Double?
    /// Median of all those products, done once after each step.
    package var limitMilliseconds: Double?
    /// The step's median by the limit's.
    package var timesLimit: Double?
    /// Whether the weights lie in their file's pages; false if they had to be converted.
    package var weightsAreMapped: Bool?
    /// Bytes of the model's weights, where they come from a folder.
    package var weightsMiB: Double?
    /// The peak without the pages of mapped weights.
    package var peakWithoutWeightsMiB: Double?
    /// How often a step went through plain expressions in place of a kernel, by the kernel's operator.
    package var plainExpressions: [String: Int]
    /// Of the last step.
    package var loss: Double
    package var version = packageVersion
    package var libtorch = TorchRuntime.version
    package var instructionSet = InstructionSet.ofMachine.rawValue

    enum CodingKeys: String, CodingKey {
        case tool, method, config, batch, length, dtype, device, threads, trainable, loss, version
        case libtorch
        case medianMilliseconds = "median_ms"
        case leastMilliseconds = "min_ms"
        case mostMilliseconds = "max_ms"
        case tokensPerSecond = "tokens_per_s"
        case peakMemoryMiB = "peak_rss_mib"
        case forwardMilliseconds = "forward_ms"
        case backwardMilliseconds = "backward_ms"
        case optimizerMilliseconds = "optimizer_ms"
        case ownShare = "own_share"
        case limitMilliseconds = "limit_ms"
        case timesLimit = "times_limit"
        case weightsAreMapped = "weights_mapped"
        case weightsMiB = "weights_mib"
        case peakWithoutWeightsMiB = "peak_without_weights_mib"
        case plainExpressions = "plain_expressions"
        case instructionSet = "instruction_set"
    }

    /// - Parameter limits: milliseconds of the products after each step, if they were timed.
    init(
        _ times: [StepTimes], _ limits: [Double], _ products: StepProducts?,
        _ memory: ResidentMemory, _ trainee: Trainee, mapped: Bool?, plain: [String: Int],
        of benchmark: StepBenchmark
    ) {
        let whole = TimeSpread(times.map(\.whole))
        method = type(of: benchmark.method).facts.name
        config = benchmark.configuration.lastPathComponent
        (batch, length) = (benchmark.batch, benchmark.length)
        dtype = benchmark.computeType.rawValue
        device = benchmark.device.description
        plainExpressions = plain
        medianMilliseconds = whole.median.tenths
        leastMilliseconds = whole.least.tenths
        mostMilliseconds = whole.most.tenths
        tokensPerSecond = (Double(batch * length) / whole.median * 1000).tenths
        peakMemoryMiB = memory.peak.tenths
        trainable = trainee.trainableCount
        forwardMilliseconds = TimeSpread(times.map(\.forward)).median.tenths
        backwardMilliseconds = TimeSpread(times.map(\.backward)).median.tenths
        optimizerMilliseconds = TimeSpread(times.map(\.optimizer)).median.tenths
        loss = times.last?.loss ?? .nan
        ownShare = products?.ownShare.thousandths
        if !limits.isEmpty {
            let limit = TimeSpread(limits).median
            limitMilliseconds = limit.tenths
            timesLimit = (whole.median / limit).hundredths
        }
        weightsAreMapped = mapped
        if mapped != nil {
            let bytes = trainee.model.parameters.reduce(0) { $0 + $1.stored.byteCount }
            weightsMiB = (Double(bytes) / 1_048_576).tenths
            peakWithoutWeightsMiB = memory.weights.map { (memory.peak - $0).tenths }
        }
    }
}
