import DualModules
import DualTorch

/// LoRA: a change of low rank, which starts at zero.
///
///     W' = W₀ + (α / r) B A,  A (r, in), B (out, r), B₀ = 0
///
/// Hu et al. 2021, arXiv:2106.09685, eq. 3. Reference: PEFT's `LoraLayer`, whose file format and
/// start (A uniform within ±1/√in) these are. With `rankStabilized` the factor is α / √r
/// (Kalajdzievski 2023, arXiv:2312.03732).
public struct LoRA: LinearAdapterMethod {
    public static let facts = MethodFacts(
        name: "lora", title: "LoRA", equation: "W' = W0 + (alpha / r) B A",
        parameterFormula: "r (d + k)", merges: true, source: "Hu et al. 2021, arXiv:2106.09685")
    public static let peftType = "LORA"
    public static let options: [MethodOption] = [
        .rank, .alpha, .dropout,
        MethodOption("use-rslora", "Scale by alpha / sqrt(rank): true or false. Default false."),
        MethodOption("rank-pattern", "Ranks of some layers: layers.0.q_proj=4,v_proj=8."),
        MethodOption("alpha-pattern", "Alphas of some layers, in the same way."),
        MethodOption("bias", "Which biases train along: none, all, lora_only. Default none."),
        MethodOption(
            "lora-bias", "A bias for B, added to the layer's: true or false. Default false."),
        .start,
    ]

    public var rank: Int
    public var alpha: Double
    /// Probability of dropping elements of the adapter's input.
    public var dropout: Double
    public var rankStabilized = false
    /// Ranks and alphas of layers that have their own.
    public var ranks = LayerPattern<Int>()
    public var alphas = LayerPattern<Double>()
    public var trainedBiases = TrainedBiases.none
    /// Whether B has a bias of its own, which is scaled as B A is.
    public var hasBias = false
    public var start = FactorStart.uniform

    public init(rank: Int = 16, alpha: Double? = nil, dropout: Double = 0) {
        self.rank = rank
        self.alpha = alpha ?? 2 * Double(rank)
        self.dropout = dropout
    }

    public var settings: MethodOptions {
        MethodOptions(chosen: [
            "rank": rank, "alpha": alpha, "dropout": dropout, "use-rslora": rankStabilized,
            "rank-pattern": ranks.text, "alpha-pattern": alphas.text,
            "bias": trainedBiases.name(adapted: "lora_only"), "lora-bias": hasBias,
            "init-weights": start.rawValue,
        ])
    }

    public init(_ options: MethodOptions) throws { try self.init(options.of(Self.self)) }

    /// The options of LoRA, also where another method has them among its own.
    init(_ given: GivenOptions) throws {
        self.init(
            rank: try given.rank() ?? 16, alpha: try given.positive("alpha"),
            dropout: try given.probability() ?? 0)
        rankStabilized = try given.flag("use-rslora") ?? false
        ranks = try given.rankPattern("rank-pattern")
        alphas =
            try given.pattern("alpha-pattern") {
                Double($0).flatMap { $0 > 0 && $0.isFinite ? $0 : nil }
            } ?? alphas
        trainedBiases = try given.biases(adapted: "lora_only")
        hasBias = try given.flag("lora-bias") ?? false
        start = try given.choice("init-weights") ?? .uniform
        guard !hasBias || start == .uniform else {
            throw given.bad("lora-bias", "it goes with the start 'true' alone, as in PEFT")
        }
    }

    private func rank(at path: String) throws -> Int { try ranks.value(for: path) ?? rank }

    /// What B A is multiplied by in a layer of this rank and alpha.
    func scale(rank: Int, alpha: Double) -> Double {
        alpha / (rankStabilized ? Double(rank).squareRoot() : Double(rank))
    }

    public func parameterCount(outputSize: Int, inputSize: Int) -> Int {
        rank * (outputSize + inputSize) + (hasBias ? outputSize : 0)
    }

    public let defaultLearningRate = 1e-3

    public func makeAdapter(
        for base: Linear, using generator: Generator
    ) throws -> any LinearAdapter {
        try makeLayer(for: base, using: generator)
    }

    /// The same, for methods that put more around it.
    func makeLayer(for base: Linear, using generator: Generator) throws -> LoRALayer {
        let rank = try rank(at: base.path)
        let alpha = try alphas.value(for: base.path) ?? alpha
        return LoRALayer(
            down: try .loraDown(rank, for: base, start: start, using: generator),
            up: try .trainable([base.outputSize, rank], for: base),
            upBias: hasBias ? try .trainable([base.outputSize], for: base) : nil,
            scale: scale(rank: rank, alpha: alpha), dropout: dropout)
    }

    public func firstSizes(
        at path: String, outputSize: Int, inputSize: Int
    ) throws -> [String: Int] {
        ["lora_A.weight": try rank(at: path)]
    }

    public func fields(of parts: [any AdapterPart], seed: UInt64) -> [String: Any] {
        [
            "r": rank, "lora_alpha": alpha.asIntegerIfWhole, "lora_dropout": dropout,
            "use_rslora": rankStabilized, "use_dora": false,
            "bias": trainedBiases.name(adapted: "lora_only"),
            "fan_in_fan_out": false, "init_lora_weights": start.field, "lora_bias": hasBias,
            "rank_pattern": ranks.fields,
            "alpha_pattern": alphas.fields.mapValues { ($0 as? Double)?.asIntegerIfWhole ?? $0 },
        ]
    }

    public static func reads(_ file: ConfigurationFile) -> Bool {
        !["use_dora", "use_mora"].contains { file.fields[$0] as? Bool == true }
    }

    public init(_ file: ConfigurationFile) throws {
        rank = try file.rank("r", default: 8)
        alpha = try file.number("lora_alpha") ?? 8
        dropout = try file.probability("lora_dropout", default: 0)
        rankStabilized = try file.flag("use_rslora") ?? false
        ranks = try LayerPattern(file, "rank_pattern")
        alphas = try LayerPattern(file, "alpha_pattern")
        trainedBiases = try file.biases(adapted: "lora_only")
        hasBias = try file.flag("lora_bias") ?? false
        start = try FactorStart(file, "init_lora_weights")
        try file.refuse([
            "use_qalora", "use_bdlora", "alora_invocation_tokens", "arrow_config", "kasa_config",
            "layer_replication", "target_parameters", "trainable_token_indices",
        ])
    }
}

/// One layer's LoRA: `down` is A (r, in), `up` is B (out, r), `upBias` B's bias (out) if it has one.
package final class LoRALayer: WeightChange {
    let down, up: Tensor
    let upBias: Tensor?
    let scale: Double
    let dropout: Double

    init(down: Tensor, up: Tensor, upBias: Tensor? = nil, scale: Double, dropout: Double) {
        (self.down, self.up, self.upBias) = (down, up, upBias)
        (self.scale, self.dropout) = (scale, dropout)
    }

    /// r
    package var rank: Int { down.size(0) }

    package var parameters: [(name: String, value: Tensor)] {
        [("lora_A.weight", down), ("lora_B.weight", up)]
            + (upBias.map { [("lora_B.bias", $0)] } ?? [])
    }

    /// The definition.
    package func weightUpdate(for base: Linear) throws -> Tensor { try scale * up.matmul(down) }

    package func biasUpdate(for base: Linear) throws -> Tensor? {
        try upBias.map { try scale * $0 }
    }

    /// x W₀ᵀ + s (x Aᵀ) Bᵀ: two thin products instead of one of the weight's size.
    package func callAsFunction(
        _ x: Tensor, through base: Linear, mode: ForwardMode
    ) throws -> Tensor {
        let dropped =
            mode.isTraining && dropout > 0 ? try mode.dropping(x, probability: dropout) : nil
        return try base.withPath(
            x, pathInput: dropped, down: down, up: up, scale: scale,
            biasUpdate: biasUpdate(for: base))
    }
}
