import DualAdapters
import DualTorch
import DualTraining

/// The result of a ``LayerBenchmark``: the line of `duallora bench --layer --json`.
package struct LayerMeasurement: Encodable, Equatable, Sendable {
    package var tool = "duallora"
    package var method: String
    package var outputSize: Int
    package var inputSize: Int
    package var isTransposed: Bool
    package var tokens: Int
    package var dtype: String
    package var threads = TorchRuntime.threads
    package var medianMilliseconds: Double
    package var leastMilliseconds: Double
    package var mostMilliseconds: Double
    /// Medians, which need not sum to that of the whole.
    package var forwardMilliseconds: Double
    package var backwardMilliseconds: Double
    /// How many products of the layer's size its step cannot do without.
    package var products: Int
    /// The adapter's own share of all multiplications that it cannot.
    package var ownShare: Double
    /// Median of all those products, done once after each step.
    package var limitMilliseconds: Double
    /// The median by the limit's.
    package var timesLimit: Double
    /// Numbers that train.
    package var trainable: Int
    package var version = packageVersion
    package var libtorch = TorchRuntime.version
    package var instructionSet = InstructionSet.ofMachine.rawValue

    enum CodingKeys: String, CodingKey {
        case tool, method, tokens, dtype, threads, products, trainable, version, libtorch
        case outputSize = "output_size"
        case inputSize = "input_size"
        case isTransposed = "transposed"
        case medianMilliseconds = "median_ms"
        case leastMilliseconds = "min_ms"
        case mostMilliseconds = "max_ms"
        case forwardMilliseconds = "forward_ms"
        case backwardMilliseconds = "backward_ms"
        case ownShare = "own_share"
        case limitMilliseconds = "limit_ms"
        case timesLimit = "times_limit"
        case instructionSet = "instruction_set"
    }

    init(
        _ times: [LayerTimes], _ limits: [Double], _ products: StepProducts,
        of benchmark: LayerBenchmark
    ) {
        let (whole, limit) = (TimeSpread(times.map(\.whole)), TimeSpread(limits).median)
        method = type(of: benchmark.method).facts.name
        (outputSize, inputSize) = (benchmark.outputSize, benchmark.inputSize)
        isTransposed = benchmark.isTransposed
        tokens = benchmark.tokens
        dtype = benchmark.computeType.rawValue
        medianMilliseconds = whole.median.hundredths
        leastMilliseconds = whole.least.hundredths
        mostMilliseconds = whole.most.hundredths
        forwardMilliseconds = TimeSpread(times.map(\.forward)).median.hundredths
        backwardMilliseconds = TimeSpread(times.map(\.backward)).median.hundredths
        self.products = type(of: benchmark.method).stepProducts
        ownShare = products.ownShare.thousandths
        limitMilliseconds = limit.hundredths
        timesLimit = (whole.median / limit).hundredths
        trainable = benchmark.method.parameterCount(
            outputSize: outputSize, inputSize: inputSize)
    }
}
