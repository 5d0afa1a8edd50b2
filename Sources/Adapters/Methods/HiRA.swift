import DualModules
import DualTorch

/// HiRA: every element of a weight is multiplied, by an amount that a product of low rank says.
///
///     W' = W₀ ⊙ (1 + B A),  A (r, in), B (out, r), B₀ = 0
///
/// Huang et al. 2025 (ICLR), "HiRA: Parameter-Efficient Hadamard High-Rank Adaptation for Large Language
/// Models", eq. 4. Reference: PEFT's `HiraLayer`, whose file format and start these are. There is no scale.
public struct HiRA: LinearAdapterMethod {
    public static let facts = MethodFacts(
        name: "hira", title: "HiRA", equation: "W' = W0 * (1 + B A)",
        parameterFormula: "r (d + k)", merges: true, source: "Huang et al. 2025, ICLR, eq. 4")
    public static let format = AdapterFormat("HIRA") {
        ($0.hasStorage, $0.hasTokenIndices) = (true, false)
    }
    public static let hyperparameters: [Hyperparameter<HiRA>] = [
        .rank(\.rank, "Rank of B A.").firstSize(of: "hira_A") { try $0.rank(at: $1) },
        .dropout(\.dropout, key: "hira_dropout"),
        .start(\.start, key: "init_weights"),
        Hyperparameter(field: "rank_pattern", \.ranks, .ranksByLayer),
    ]

    public var rank: Int
    /// Probability of dropping elements of the adapter's input.
    public var dropout: Double
    /// Ranks of layers that have their own, in a file: PEFT (0.21) takes none from a `rank_pattern`, so that
    /// there is no option for it.
    public var ranks = LayerPattern<Int>()
    public var start = FactorStart.uniform

    public static let largeModelRate: (rate: Double, source: String)? = (
        1e-3, "HiRA, LLaMA3-8B"
    )

    public init() { self.init(dropout: 0) }

    public init(rank: Int = 32, dropout: Double = 0) {
        self.rank = rank
        self.dropout = dropout
    }

    public func parameterCount(outputSize: Int, inputSize: Int) -> Int {
        rank * (outputSize + inputSize)
    }

    public let defaultLearningRate = 1e-2

    private func rank(at path: String) throws -> Int { try ranks.value(for: path) ?? rank }

    public func makeAdapter(
        for base: Linear, using generator: Generator
    ) throws -> any LinearAdapter {
        let rank = try rank(at: base.path)
        return HiRALayer(
            down: try .loraDown(rank, for: base, start: start, using: generator),
            up: try .trainable([base.outputSize, rank], for: base), dropout: dropout)
    }

    /// PEFT (0.21) writes its `rank_pattern` but gives every layer the rank r, which has no part in the
    /// update but to be the factors' size.
    public func fitted(to weights: SafetensorsFile) -> HiRA {
        var fitted = self
        let factors = weights.names.filter { $0.hasSuffix(".hira_A") }
        if factors.allSatisfy({ weights.shape(of: $0)?.first == rank }) { fitted.ranks = .init() }
        return fitted
    }
}

/// One layer's HiRA: `down` is A (r, in), `up` is B (out, r).
package final class HiRALayer: LowRankChange {
    package let down, up: Tensor
    private let dropout: Double

    init(down: Tensor, up: Tensor, dropout: Double) {
        (self.down, self.up) = (down, up)
        self.dropout = dropout
    }

    package var parameters: [(name: String, value: Tensor)] { [("hira_A", down), ("hira_B", up)] }

    /// The definition.
    package func weightUpdate(for base: Linear) throws -> Tensor {
        try base.weight.value.to(up.dtype) * up.matmul(down)
    }

    private func update(of base: Linear) throws -> HiRAUpdate {
        HiRAUpdate(a: down, b: up, weight: try base.weight.stored.detached())
    }

    /// x (W₀ ⊙ (1 + B A))ᵀ. The update is formed when it is needed and never kept.
    package func callAsFunction(
        _ x: Tensor, through base: Linear, mode: ForwardMode
    ) throws -> Tensor {
        try base.changed(x, dropout: dropout, mode: mode) { input, weight, bias in
            guard !base.weight.stored.requiresGradient else {
                // ΔW has a part of W₀'s gradient.
                return try mode.recomputing([input]) {
                    [try $0[0].linear(self.weightUpdate(for: base).to(x.dtype))]
                }[0]
            }
            return try input.linear(
                through: update(of: base), weight: weight, bias: bias,
                outputSize: base.outputSize)
        }
    }

    /// What the layer's products see, bit for bit, where they are computed in the weight's type.
    package func updatedWeight(for base: Linear) throws -> Tensor {
        try update(of: base).formed(onto: base.weight.stored)
    }
}
