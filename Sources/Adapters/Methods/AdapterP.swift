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
    public static let peftType = "BOTTLENECK"
    public static let options: [MethodOption] = [
        MethodOption("bottleneck", "b, the size between the two maps. Default 256."),
        MethodOption("activation", "f: tanh, relu, gelu, silu, identity. Default tanh."),
        MethodOption("scaling", "g: a number, or learned. Default 1."),
        MethodOption(
            "init",
            "Start of the maps: bert (both normal, deviation 0.02) or mam (U zero: the model "
                + "starts as the base). Default bert."),
        MethodOption(
            "mode",
            "Where the bottleneck stands: parallel, serial-input, serial-output. Default: "
                + "parallel."),
        MethodOption("use-bias", "Whether the maps have biases: true or false. Default false."),
        MethodOption(
            "dropout", "Probability of dropping elements of the bottleneck's input. Default 0."),
    ]

    public enum Start: String, CaseIterable, Sendable {
        case bert, mam
    }

    /// b
    public var bottleneck: Int
    public var activation = BottleneckActivation.tanh
    /// g; nil for one that trains, from 1.
    public var scale: Double? = 1
    public var start = Start.bert
    public var place = BottleneckPlace.parallel
    public var hasBias = false
    public var dropout = 0.0

    public init(bottleneck: Int = 256) { self.bottleneck = bottleneck }

    public var settings: MethodOptions {
        MethodOptions(chosen: [
            "bottleneck": bottleneck, "activation": activation.rawValue,
            "scaling": scale.map { "\($0)" } ?? "learned", "init": start.rawValue,
            "mode": place.rawValue, "use-bias": hasBias, "dropout": dropout,
        ])
    }

    public init(_ options: MethodOptions) throws {
        let given = try options.of(Self.self)
        self.init(bottleneck: try given.rank("bottleneck") ?? 256)
        activation = try given.choice("activation") ?? activation
        if given.text("scaling") == "learned" {
            scale = nil
        } else {
            scale = try given.positive("scaling") ?? scale
        }
        start = try given.choice("init") ?? start
        place = try given.choice("mode") ?? place
        hasBias = try given.flag("use-bias") ?? hasBias
        dropout = try given.probability() ?? dropout
    }

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
                scale: scale, hasBias: hasBias, beside: base.weight.value, using: generator),
            at: place, dropout: dropout)
    }

    public func firstSizes(
        at path: String, outputSize: Int, inputSize: Int
    ) throws -> [String: Int] {
        ["adapter_down.weight": bottleneck]
    }

    public func fields(of parts: [any AdapterPart], seed: UInt64) -> [String: Any] {
        [
            "bottleneck_size": bottleneck, "non_linearity": activation.rawValue,
            "adapter_dropout": dropout, "scaling": scale?.asIntegerIfWhole ?? "learned",
            "init_weights": start == .bert ? "bert" : "mam_adapter",
            "adapter_type": Self.typeNames[place] ?? "", "use_bias": hasBias,
            "use_parallel_adapter": place == .parallel, "use_adapterp": false,
        ]
    }

    /// LLM-Adapters' names of the places.
    private static let typeNames: [BottleneckPlace: String] = [
        .parallel: "parallel_adapter", .serialInput: "mh_adapter", .serialOutput: "output_adapter",
    ]

    public init(_ file: ConfigurationFile) throws {
        self.init(bottleneck: try file.rank("bottleneck_size", default: 256))
        activation = try file.choice("non_linearity", default: .tanh)
        dropout = try file.probability("adapter_dropout", default: 0)
        scale = try Self.scale(file)
        start = try file.text("init_weights") == "mam_adapter" ? .mam : .bert
        hasBias = try file.flag("use_bias") ?? false
        place = try Self.place(file)
        // Pfeiffer's adapter: another place than all of these.
        try file.refuse(["use_adapterp"])
    }

    private static func scale(_ file: ConfigurationFile) throws -> Double? {
        if file.fields["scaling"] as? String == "learned" { return nil }
        let scale = try file.number("scaling") ?? 1
        guard scale.isFinite else {
            throw file.bad("scaling", found: "\(scale)", expected: "a number or learned")
        }
        return scale
    }

    private static func place(_ file: ConfigurationFile) throws -> BottleneckPlace {
        guard let name = try file.text("adapter_type") else {
            // LLM-Adapters' own files say it of the parallel one alone.
            if try file.flag("use_parallel_adapter") ?? false { return .parallel }
            throw AdapterError.unsupported(
                file: file.url.path, key: "adapter_type", found: "missing",
                reason: "and the adapter is none that is parallel")
        }
        guard let place = typeNames.first(where: { $0.value == name })?.key else {
            throw file.bad(
                "adapter_type", found: name,
                expected: "one of " + typeNames.values.sorted().joined(separator: ", "))
        }
        return place
    }
}
