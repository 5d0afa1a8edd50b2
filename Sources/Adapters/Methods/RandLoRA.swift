import DualModules
import DualTorch

/// RandLoRA: an update of full rank, a sum of random bases of low rank, which are frozen and shared by
/// all layers, under diagonals that train.
///
///     W' = W₀ + (α / r) Σ over n of B_n diag(λ_n) A diag(γ_n),  n = 1 ... N = ⌈min(in, out) / r⌉
///
/// Albert et al. 2025, arXiv:2502.00987. λ (r, N) starts at 0 and γ (N, q) at 1 / max(N, q),
/// q = min(in, out). A layer with more inputs than outputs has the transposed update. Reference: PEFT's
/// `RandLoraModel`, whose file format this is, and whose pairs of A's and B's columns: it counts those
/// of A rank by rank, those of B base by base, which is another sum of random bases, no worse, and
/// must be the same for a file to mean the same. So are the bases, drawn from `projection_prng_key`.
///
/// α is 20 r, PEFT's default (640 at r = 32) and its advice for other ranks: bases of deviation 1 and
/// γ of 1/q make so small an update that at LoRA's scale λ would have to grow large. PEFT's files repeat
/// both bases under each layer; those copies are not written, and read only where nothing else is.
///
/// The costs of the two ways that a layer is run are in ``RandomBasesUpdate``.
public struct RandLoRA: LinearAdapterMethod, SharedProjectionMethod {
    public static let facts = MethodFacts(
        name: "randlora", title: "RandLoRA",
        equation: "W' = W0 + (alpha / r) sum_n B_n diag(lambda_n) A diag(gamma_n)",
        parameterFormula: "ceil(min(d, k) / r) (r + min(d, k))", merges: true,
        source: "Albert et al. 2025, arXiv:2502.00987")
    // PEFT's configuration knows no `exclude_modules`.
    public static let format = AdapterFormat("RANDLORA") {
        $0.constants = ["init_weights": true]
        ($0.hasExclusion, $0.hasStorage, $0.hasTokenIndices) = (false, true, false)
        $0.sharedTensors = ["randlora_A", "randlora_B"]
    }
    public static let hyperparameters: [Hyperparameter<RandLoRA>] =
        [
            .rank(\.rank, "Rank of one base; the less it is, the more numbers train.")
                .firstSize(of: "randlora_lambda") { method, _ in method.rank },
            .alpha(
                \.alpha, scale: standardScale, rank: \.rank, key: "randlora_alpha", missing: 640),
            .dropout(\.dropout, key: "randlora_dropout"),
            Hyperparameter(
                "sparse", \.isSparse, .flag, "Bases of -1, 0 and 1, a third not 0: true or false.",
                key: "sparse"),
            Hyperparameter(
                "very-sparse", \.isVerySparse, .flag,
                "The same, but 1 / sqrt(min(d, k)) of them not 0: true or false.",
                key: "very_sparse"),
            .biases(\.trainedBiases, adapted: "randlora_only"),
        ] + Hyperparameter.projections

    /// α / r where no alpha is said.
    private static let standardScale = 20.0

    public var rank: Int
    public var alpha: Double
    /// Probability of dropping elements of the adapter's input.
    public var dropout: Double
    /// Bases of -1, 0 and 1; `isVerySparse` counts if both are set, as in PEFT.
    public var isSparse = false
    public var isVerySparse = false
    public var trainedBiases = TrainedBiases.none
    var projections = SharedProjections()

    public static let largeModelRate: (rate: Double, source: String)? = (
        1e-4, "RandLoRA, LLaMA3-8B, at a scale alpha / r of 0.17"
    )

    public init() { self.init(alpha: nil) }

    public init(rank: Int = 32, alpha: Double? = nil, dropout: Double = 0) {
        self.rank = rank
        self.alpha = alpha ?? Self.standardScale * Double(rank)
        self.dropout = dropout
    }

    private var kind: RandomBases.Kind {
        isVerySparse ? .verySparse : isSparse ? .sparse : .dense
    }

    public func parameterCount(outputSize: Int, inputSize: Int) -> Int {
        let q = min(outputSize, inputSize)
        return RandomBases.count(q, rank: rank) * (rank + q)
    }

    private func drawBases(for layers: [Linear]) throws -> RandomBases {
        let (small, large) = try RandomBases.draw(
            kind, rank: rank, outputSize: layers.map(\.outputSize).max() ?? 0,
            inputSize: layers.map(\.inputSize).max() ?? 0,
            using: Generator(seed: projections.seed))
        return RandomBases(
            small: try layers.first.map(small.trained(beside:)) ?? small,
            large: try layers.first.map(large.trained(beside:)) ?? large)
    }

    private func layer(_ base: Linear, _ bases: RandomBases) throws -> RandLoRALayer {
        let q = min(base.outputSize, base.inputSize)
        let count = RandomBases.count(q, rank: rank)
        return RandLoRALayer(
            bases, lambda: try .trainable([rank, count], for: base),
            gamma: try .trainable([count, q], 1 / Double(max(count, q)), for: base),
            scale: alpha / Double(rank), dropout: dropout)
    }

    public func makeAdapter(
        for base: Linear, using generator: Generator
    ) throws -> any LinearAdapter {
        try layer(base, drawBases(for: [base]))
    }

    public func makeAdapters(
        for layers: [Linear], using generator: Generator
    ) throws -> AdapterParts {
        let bases = try drawBases(for: layers)
        return AdapterParts(
            try layers.map { .linear($0, try layer($0, bases)) },
            shared: [("randlora_A", bases.small), ("randlora_B", bases.large)],
            // Where they are missing, PEFT too goes on with those of the key.
            savesShared: projections.areSaved, needsShared: false)
    }
}

/// One layer's RandLoRA.
package final class RandLoRALayer: WeightChange {
    let bases: RandomBases
    /// λ (r, N) and γ (N, q)
    let lambda, gamma: Tensor
    private let scale: Double
    private let dropout: Double

    init(_ bases: RandomBases, lambda: Tensor, gamma: Tensor, scale: Double, dropout: Double) {
        self.bases = bases
        (self.lambda, self.gamma) = (lambda, gamma)
        (self.scale, self.dropout) = (scale, dropout)
    }

    /// N r, of all bases together.
    package var totalRank: Int { lambda.count }

    /// Whether the update is formed for so many tokens, and not run as a path.
    package func isFormed(outputSize: Int, inputSize: Int, tokens: Int) -> Bool {
        update(outputSize: outputSize, inputSize: inputSize).isCheaperFormed(tokens: tokens)
    }

    package var parameters: [(name: String, value: Tensor)] {
        [("randlora_lambda", lambda), ("randlora_gamma", gamma)]
    }

    /// The definition, as PEFT pairs the bases.
    package func weightUpdate(for base: Linear) throws -> Tensor {
        let (p, q) = (
            max(base.outputSize, base.inputSize), min(base.outputSize, base.inputSize)
        )
        let small =
            try lambda.expandedDimension(at: 2) * bases.small(q).expandedDimension(at: 1)
            * gamma  // (r, N, q)
        let large = try bases.large(p, lambda.size(1), as: lambda.dtype)  // (p, N r)
        let update = try scale * large.matmul(small.reshaped(-1, q))
        return base.inputSize <= base.outputSize ? update : try update.transposed()
    }

    private func update(outputSize: Int, inputSize: Int) -> RandomBasesUpdate {
        RandomBasesUpdate(
            bases: bases, lambda: lambda, gamma: gamma, outputSize: outputSize,
            inputSize: inputSize, scale: scale)
    }

    package func callAsFunction(
        _ x: Tensor, through base: Linear, mode: ForwardMode
    ) throws -> Tensor {
        let update = update(outputSize: base.outputSize, inputSize: base.inputSize)
        let isFormed = update.isCheaperFormed(tokens: x.count / base.inputSize)
        return try base.changed(x, dropout: dropout, mode: mode) { input, weight, bias in
            isFormed
                ? try input.linear(
                    through: update, weight: weight, bias: bias, outputSize: base.outputSize)
                : try input.linear(
                    beside: update, weight: weight, bias: bias, outputSize: base.outputSize)
        }
    }
}
