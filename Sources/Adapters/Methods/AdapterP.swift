import DualModules
import DualTorch

/// Adapter-P: a bottleneck beside a linear layer.
///
///     y = W₀ x + b₀ + g U f(D x),  D (b, in), U (out, b)
///
/// He et al. 2021, "Towards a Unified View of Parameter-Efficient Transfer Learning",
/// arXiv:2110.04366, table 1 (parallel adapter). Reference: LLM-Adapters (Hu et al. 2023,
/// arXiv:2304.01933), whose defaults these are: no biases, tanh, g = 1, both maps from N(0, 0.02²),
/// at the layers into and out of the feed-forward. He et al. have biases, ReLU, g = 4 and the start
/// "mam", at which the model is the base's. The serial places are LLM-Adapters' `mh_adapter` and
/// `output_adapter`; Houlsby et al. 2019, arXiv:1902.00751.
public struct AdapterP: LinearAdapterMethod {
    public static let facts = MethodFacts(
        name: "adapter-p", title: "Adapter-P", equation: "y = W0 x + g U f(D x)",
        parameterFormula: "b (d + k)", merges: false, source: "He et al. 2021, arXiv:2110.04366")
    // `use_adapterp` is Pfeiffer's adapter: another place than all of these.
    public static let format = AdapterFormat("BOTTLENECK") {
        $0.constants = ["use_adapterp": false]
        $0.refusedFields = ["use_adapterp"]
    }
    public static let hyperparameters: [Hyperparameter<AdapterP>] = [
        Hyperparameter(
            "bottleneck", \.bottleneck, .rank, "b, the size between the two maps.",
            key: "bottleneck_size"
        ).firstSize(of: "adapter_down.weight") { method, _ in method.bottleneck },
        Hyperparameter(
            "activation", \.activation, .choice, "f: tanh, relu, gelu, silu, identity.",
            key: "non_linearity"),
        Hyperparameter(
            "scaling", \.scale, .optional(.positive, none: "learned", inFiles: "learned"),
            "g: a number, or learned.", key: "scaling"),
        Hyperparameter(
            "init", \.start,
            .choice.inFiles(\.fileName) { file, key in
                try file.text(key) == Start.mam.fileName ? .mam : .bert
            },
            "Start of the maps: bert (both normal, deviation 0.02) or mam (U zero: the model "
                + "starts as the base).", key: "init_weights"),
        Hyperparameter(
            "mode", \.place, .choice.namedInFiles(\.fileName),
            "Where the bottleneck stands: parallel, serial-input, serial-output.",
            key: "adapter_type"),
        Hyperparameter(
            "use-bias", \.hasBias, .flag, "Whether the maps have biases: true or false.",
            key: "use_bias"),
        Hyperparameter(
            "dropout", \.dropout, .probability,
            "Probability of dropping elements of the bottleneck's input.", key: "adapter_dropout"),
    ]

    public enum Start: String, CaseIterable, Sendable {
        case bert, mam

        /// LLM-Adapters' name.
        fileprivate var fileName: String { self == .mam ? "mam_adapter" : rawValue }
    }

    /// b
    public var bottleneck = 256
    public var activation = BottleneckActivation.tanh
    /// g; nil for one that trains, from 1.
    public var scale: Double? = 1
    public var start = Start.bert
    public var place = BottleneckPlace.parallel
    public var hasBias = false
    public var dropout = 0.0

    public init() {}

    public init(bottleneck: Int) { self.bottleneck = bottleneck }

    public func parameterCount(outputSize: Int, inputSize: Int) -> Int {
        let sizes = place.sizes(outputSize: outputSize, inputSize: inputSize)
        return Bottleneck.parameterCount(
            from: sizes.from, through: bottleneck, to: sizes.to, hasBias: hasBias)
            + (scale == nil ? 1 : 0)
    }

    public let defaultLearningRate = 3e-4

    public var standardTargets: TargetSelection.Rule { .feedForward }

    public func makeAdapter(
        for base: Linear, using generator: Generator
    ) throws -> any LinearAdapter {
        let sizes = place.sizes(outputSize: base.outputSize, inputSize: base.inputSize)
        return BottleneckLayer(
            try Bottleneck(
                from: sizes.from, through: bottleneck, to: sizes.to,
                start: start == .bert ? .normal(deviation: 0.02) : .closed, activation: activation,
                scale: scale, hasBias: hasBias, beside: base.weight.stored, using: generator),
            at: place, dropout: dropout)
    }

    public func complete(
        _ fields: inout [String: Any], of parts: [any AdapterPart], seed: UInt64
    ) {
        fields["use_parallel_adapter"] = place == .parallel
    }

    /// LLM-Adapters' own files say the place of the parallel adapter alone.
    public mutating func complete(from file: ConfigurationFile) throws {
        guard try file.text("adapter_type") == nil, try file.flag("use_parallel_adapter") != true
        else { return }
        throw AdapterError.unsupported(
            file: file.url.path, key: "adapter_type", found: "missing",
            reason: "and the adapter is none that is parallel")
    }
}

extension BottleneckPlace {
    /// LLM-Adapters' name.
    fileprivate var fileName: String {
        switch self {
        case .parallel: "parallel_adapter"
        case .serialInput: "mh_adapter"
        case .serialOutput: "output_adapter"
        }
    }
}
