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
    public static let format = AdapterFormat("LORA") {
        $0.discriminators = ["use_dora": false, "use_mora": false]
        $0.constants = ["use_dora": false]
        $0.refusedFields = [
            "use_qalora", "use_bdlora", "alora_invocation_tokens", "arrow_config", "kasa_config",
            "layer_replication", "target_parameters",
        ]
        ($0.hasStorage, $0.heedsWeightTying) = (true, true)
    }
    public static let hyperparameters: [Hyperparameter<LoRA>] = [
        .rank(\.rank, missing: 8).firstSize(of: "lora_A.weight") { try $0.rank(at: $1) }
            .firstSize(of: "lora_embedding_A") { try $0.rank(at: $1) },
        .alpha(\.alpha, scale: standardScale, rank: \.rank, missing: 8),
        .dropout(\.dropout),
        Hyperparameter(
            "use-rslora", \.rankStabilized, .flag, "Scale by alpha / sqrt(rank): true or false.",
            key: "use_rslora"),
        Hyperparameter(
            "rank-pattern", \.ranks, .ranksByLayer,
            "Ranks of some layers: layers.0.q_proj=4,v_proj=8.", key: "rank_pattern"),
        Hyperparameter(
            "alpha-pattern", \.alphas, .numbersByLayer, "Alphas of some layers, in the same way.",
            key: "alpha_pattern"),
        .biases(\.trainedBiases, adapted: "lora_only"),
        Hyperparameter(
            "lora-bias", \.hasBias, .flag,
            "A bias for B, added to the layer's: true or false.", key: "lora_bias"),
        .start(\.start, key: "init_lora_weights"),
    ]

    /// s where no alpha is said.
    static let standardScale = 2.0

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

    public static let largeModelRate: (rate: Double, source: String)? = (
        3e-4, "LLM-Adapters, LLaMA-7B"
    )

    public init() { self.init(alpha: nil) }

    public init(rank: Int = 16, alpha: Double? = nil, dropout: Double = 0) {
        self.rank = rank
        self.alpha = alpha ?? Self.standardScale * Double(rank)
        self.dropout = dropout
    }

    public mutating func resolve(_ given: GivenOptions) throws {
        guard !hasBias || start == .uniform else {
            throw given.bad("lora-bias", "it goes with the start 'true' alone, as in PEFT")
        }
    }

    func rank(at path: String) throws -> Int { try ranks.value(for: path) ?? rank }

    /// What B A is multiplied by in a layer of this rank and alpha.
    func scale(rank: Int, alpha: Double) -> Double {
        alpha / (rankStabilized ? Double(rank).squareRoot() : Double(rank))
    }

    public func parameterCount(outputSize: Int, inputSize: Int) -> Int {
        rank * (outputSize + inputSize) + (hasBias ? outputSize : 0)
    }

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
}

/// One layer's LoRA: `down` is A (r, in), `up` is B (out, r), `upBias` B's bias (out) if it has one.
package final class LoRALayer: LowRankChange {
    package let down, up: Tensor
    let upBias: Tensor?
    let scale: Double
    let dropout: Double

    init(down: Tensor, up: Tensor, upBias: Tensor? = nil, scale: Double, dropout: Double) {
        (self.down, self.up, self.upBias) = (down, up, upBias)
        (self.scale, self.dropout) = (scale, dropout)
    }

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
        try base.withPath(
            x, dropout: dropout, mode: mode, down: down, up: up, scale: scale,
            biasUpdate: biasUpdate(for: base))
    }
}
