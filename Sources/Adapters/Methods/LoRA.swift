import DualModules
import DualTorch

/// LoRA: a change of low rank, which starts at zero.
///
///     W' = W₀ + (α / r) B A,  A (r, in), B (out, r), B₀ = 0
///
/// Hu et al. 2021, arXiv:2106.09685, eq. 3. Reference: PEFT's `LoraLayer`, whose file format and
/// start (A uniform within ±1/√in) these are. With `rankStabilized` the factor is α / √r
/// (Kalajdzievski 2023, arXiv:2312.03732).
public struct LoRA: AdapterMethod {
    public static let facts = MethodFacts(
        name: "lora", title: "LoRA", equation: "W' = W0 + (alpha / r) B A",
        parameterFormula: "r (d + k)", merges: true, source: "Hu et al. 2021, arXiv:2106.09685")
    public static let peftType = "LORA"
    public static let tensorNames = ["lora_A.weight", "lora_B.weight"]
    public static let formsWeightGradient = false

    public var rank: Int
    public var alpha: Double
    /// Probability of dropping elements of the adapter's input.
    public var dropout: Double
    public var rankStabilized = false

    public init(rank: Int = 16, alpha: Double? = nil, dropout: Double = 0) {
        self.rank = rank
        self.alpha = alpha ?? 2 * Double(rank)
        self.dropout = dropout
    }

    public init(_ options: MethodOptions) throws {
        try options.allow(["rank", "alpha", "dropout"], for: Self.facts)
        self.init(
            rank: try options.checkedRank(options.rank, "rank", for: Self.facts) ?? 16,
            alpha: try options.checkedAlpha(for: Self.facts),
            dropout: try options.checkedDropout(for: Self.facts))
    }

    /// What B A is multiplied by.
    public var scale: Double { alpha / (rankStabilized ? Double(rank).squareRoot() : Double(rank)) }

    public func parameterCount(outputSize: Int, inputSize: Int) -> Int {
        rank * (outputSize + inputSize)
    }

    public let defaultLearningRate = 1e-3

    public func makeAdapter(for base: Linear, using generator: Generator) throws
        -> any LinearAdapter
    {
        let bound = 1 / Double(base.inputSize).squareRoot()
        let device = base.weight.value.device
        let down = try Tensor.uniform(
            [rank, base.inputSize], from: -bound, to: bound, using: generator)
        let up = try Tensor.zeros([base.outputSize, rank], device: device)
        return LoRALayer(
            down: try down.to(device: device), up: up, scale: scale, dropout: dropout)
    }

    public func fields(of adapters: [any LinearAdapter], seed: UInt64) -> [String: Any] {
        [
            "r": rank, "lora_alpha": alpha.asIntegerIfWhole, "lora_dropout": dropout,
            "use_rslora": rankStabilized, "use_dora": false, "bias": "none",
            "fan_in_fan_out": false, "init_lora_weights": true,
        ]
    }

    public init(_ file: ConfigurationFile) throws {
        rank = try file.rank("r", default: 8)
        alpha = try file.number("lora_alpha") ?? 8
        dropout = try file.probability("lora_dropout", default: 0)
        rankStabilized = try file.flag("use_rslora") ?? false
        for key in ["use_dora", "lora_bias", "use_qalora", "use_bdlora"]
        where try file.flag(key) == true {
            throw AdapterError.unsupported(
                file: file.url.path, key: key, found: "true", reason: "which is not supported")
        }
        for key in [
            "alora_invocation_tokens", "layer_replication", "target_parameters",
            "trainable_token_indices",
        ] where file.fields[key] != nil {
            throw AdapterError.unsupported(
                file: file.url.path, key: key, found: "set", reason: "which is not supported")
        }
        let bias = try file.text("bias") ?? "none"
        guard bias == "none" else {
            throw AdapterError.unsupported(
                file: file.url.path, key: "bias", found: bias, reason: "but only none is supported")
        }
        for key in ["rank_pattern", "alpha_pattern"] {
            guard (file.fields[key] as? [String: Any] ?? [:]).isEmpty else {
                throw AdapterError.unsupported(
                    file: file.url.path, key: key, found: "not empty",
                    reason: "but ranks of their own for some layers are not supported")
            }
        }
    }
}

/// One layer's LoRA: `down` is A (r, in), `up` is B (out, r).
final class LoRALayer: LinearAdapter {
    let down, up: Tensor
    private let scale: Double
    private let dropout: Double

    init(down: Tensor, up: Tensor, scale: Double, dropout: Double) {
        (self.down, self.up) = (down, up)
        (self.scale, self.dropout) = (scale, dropout)
    }

    var parameters: [(name: String, value: Tensor)] {
        zip(LoRA.tensorNames, [down, up]).map { (name: $0, value: $1) }
    }

    /// The definition.
    func weightUpdate(for base: Linear) throws -> Tensor { try scale * up.matmul(down) }

    /// x W₀ᵀ + s (x Aᵀ) Bᵀ: two thin products instead of one of the weight's size.
    func callAsFunction(_ x: Tensor, through base: Linear, mode: ForwardMode) throws -> Tensor {
        let dropped =
            mode.isTraining && dropout > 0 ? try mode.dropping(x, probability: dropout) : nil
        // A layer that trains itself, such as a pooler made anew, needs its own product's graph.
        guard base.weight.value.requiresGradient else {
            let layer = LowRankLinear(
                weight: try base.weight.value.to(x.dtype), bias: try base.bias?.value.to(x.dtype),
                down: down, up: up, scale: scale)
            return try layer(x, pathInput: dropped)
        }
        let inner = try (dropped ?? x).linear(down.to(x.dtype))  // (..., r)
        return try base.frozen(x) + scale * inner.linear(up.to(x.dtype))
    }
}
