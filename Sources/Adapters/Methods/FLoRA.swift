import DualModules
import DualTorch

/// FLoRA: a core between LoRA's factors, the Tucker decomposition of the update.
///
///     W' = W₀ + s B E A,  A (r, in), E (r, r), B (out, r), E₀ = 0
///
/// Si et al. 2024, "Maintaining Structural Integrity in Parameter Spaces for Parameter Efficient
/// Fine-tuning", arXiv:2405.14739; not Hao et al.'s optimizer "Flora". Reference:
/// Chongjie-Si/Subspace-Tuning, whose two codes start and scale in two ways, `init_style`: for
/// commonsense A and B are uniform within ±1/√in and ±1/√r and s = α / r, for NLU both are drawn from
/// N(0, 0.02²) and s = α / (r + 10⁻⁵). PEFT has no such method, so the `peft_type` is one of our own.
public struct FLoRA: LinearAdapterMethod {
    public static let facts = MethodFacts(
        name: "flora", title: "FLoRA", equation: "W' = W0 + (alpha / r) B E A",
        parameterFormula: "r (d + k) + r^2", merges: true,
        source: "Si et al. 2024, arXiv:2405.14739")
    public static let format = AdapterFormat("FLORA_SI") { $0.hasStorage = true }
    public static let hyperparameters: [Hyperparameter<FLoRA>] = [
        .rank(\.rank).firstSize(of: "lora_A.weight") { method, _ in method.rank },
        .alpha(\.alpha, scale: LoRA.standardScale, rank: \.rank),
        .dropout(\.dropout),
        Hyperparameter(
            "init-style", \.initStyle, .choice,
            "How factors start and are scaled: commonsense, nlu.", key: "init_style"),
    ]

    /// Which of the authors' codes is followed.
    public enum InitStyle: String, CaseIterable, Sendable {
        case commonsense, nlu
    }

    public var rank: Int
    public var alpha: Double
    /// Probability of dropping elements of the adapter's input.
    public var dropout: Double
    public var initStyle = InitStyle.commonsense

    public init() { self.init(alpha: nil) }

    public init(rank: Int = 16, alpha: Double? = nil, dropout: Double = 0) {
        self.rank = rank
        self.alpha = alpha ?? LoRA.standardScale * Double(rank)
        self.dropout = dropout
    }

    /// s
    var scale: Double {
        switch initStyle {
        case .commonsense: alpha / Double(rank)
        case .nlu: alpha / (Double(rank) + 1e-5)
        }
    }

    public func parameterCount(outputSize: Int, inputSize: Int) -> Int {
        rank * (outputSize + inputSize + rank)
    }

    public func makeAdapter(
        for base: Linear, using generator: Generator
    ) throws -> any LinearAdapter {
        try FLoRALayer(self, for: base, using: generator)
    }
}

/// One layer's FLoRA: `down` is A (r, in), `core` E (r, r), `up` B (out, r).
package final class FLoRALayer: LowRankChange {
    package let down, core, up: Tensor
    private let method: FLoRA

    fileprivate init(_ method: FLoRA, for base: Linear, using generator: Generator) throws {
        func draw(_ rows: Int, _ columns: Int) throws -> Tensor {
            let drawn =
                method.initStyle == .nlu
                ? try Tensor.normal([rows, columns], deviation: 0.02, using: generator)
                : try .uniform([rows, columns], inputs: columns, using: generator)
            return try drawn.trained(beside: base)
        }
        self.method = method
        down = try draw(method.rank, base.inputSize)
        core = try .trainable([method.rank, method.rank], for: base)
        up = try draw(base.outputSize, method.rank)
    }

    package var parameters: [(name: String, value: Tensor)] {
        [("lora_A.weight", down), ("lora_E.weight", core), ("lora_B.weight", up)]
    }

    /// The definition.
    package func weightUpdate(for base: Linear) throws -> Tensor {
        try method.scale * up.matmul(core).matmul(down)
    }

    /// LoRA's path with B E for B: a product of d·r² against LoRA's of T·d·r.
    package func callAsFunction(
        _ x: Tensor, through base: Linear, mode: ForwardMode
    ) throws -> Tensor {
        try base.withPath(
            x, dropout: method.dropout, mode: mode, down: down, up: up.matmul(core),
            scale: method.scale)
    }
}
