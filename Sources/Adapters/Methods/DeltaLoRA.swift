import DualModules
import DualTorch

/// Delta-LoRA: the weight moves along with LoRA's factors, by what their product moves.
///
///     W_t = W₀ + λ s (B_t A_t − B_K A_K) from step K on,  y = x (W_t + s B_t A_t)ᵀ,  s = α / r
///     A (r, in), B (out, r), B₀ = 0
///
/// Zi et al. 2023, arXiv:2309.02411, algorithm 1, which adds λ s (B_{t+1} A_{t+1} − B_t A_t) to W
/// after every step. The sum telescopes, so that W itself stays as it is and the factors of step K
/// are all that is kept. As there, A and B get gradients by s B A alone, not by the weight that
/// they move, and nothing is dropped from the path's input.
public struct DeltaLoRA: LinearAdapterMethod {
    public static let facts = MethodFacts(
        name: "delta-lora", title: "Delta-LoRA",
        equation: "W' = W0 + (alpha / r) (B A + lambda (B A - B_K A_K))",
        parameterFormula: "r (d + k)", merges: true, source: "Zi et al. 2023, arXiv:2309.02411")
    public static let format = AdapterFormat("DELTA_LORA")
    public static let hyperparameters: [Hyperparameter<DeltaLoRA>] = [
        .rank(\.rank).firstSize(of: "lora_A.weight") { method, _ in method.rank },
        .alpha(\.alpha, scale: LoRA.standardScale, rank: \.rank),
        Hyperparameter(
            "delta-scale", \.deltaScale,
            .number.refusing { $0.isFinite && $0 >= 0 ? nil : "\($0) is not 0 or greater" },
            "lambda: how far the weight moves with the factors.", key: "delta_scale"),
        Hyperparameter(
            "delta-start", \.deltaStart, .integer(atLeast: 0),
            "K: steps after which the weight moves.", key: "delta_start"),
        Hyperparameter(field: "delta_started", \.hasStarted, .flag, missing: true),
    ]

    public var rank: Int
    public var alpha: Double
    /// λ
    public var deltaScale: Double
    /// K: optimizer steps done when the weight begins to move.
    public var deltaStart: Int
    /// Whether the weight of an adapter that is not being trained has moved.
    public var hasStarted = false

    public init() { self.init(alpha: nil) }

    public init(
        rank: Int = 16, alpha: Double? = nil, deltaScale: Double = 2, deltaStart: Int = 500
    ) {
        self.rank = rank
        self.alpha = alpha ?? LoRA.standardScale * Double(rank)
        self.deltaScale = deltaScale
        self.deltaStart = deltaStart
    }

    public func parameterCount(outputSize: Int, inputSize: Int) -> Int {
        rank * (outputSize + inputSize)
    }

    public func makeAdapter(
        for base: Linear, using generator: Generator
    ) throws -> any LinearAdapter {
        try DeltaLoRALayer(self, for: base, using: generator)
    }

    /// Whether the weight has moved is a part's to say.
    public func complete(
        _ fields: inout [String: Any], of parts: [any AdapterPart], seed: UInt64
    ) {
        if let layer = parts.first as? DeltaLoRALayer { fields["delta_started"] = layer.hasStarted }
    }
}

/// One layer's Delta-LoRA: `down` is A (r, in), `up` is B (out, r), `startDown` and `startUp` are
/// A_K and B_K.
package final class DeltaLoRALayer: LowRankChange, StepAwareAdapter {
    package let down, up: Tensor
    let startDown, startUp: Tensor
    private let method: DeltaLoRA
    private let scale: Double
    /// Whether the weight has moved: λ counts from the step after K on.
    private(set) var hasStarted: Bool
    /// Whether the factors of now are those of step K.
    private var isAtStart = false

    fileprivate init(_ method: DeltaLoRA, for base: Linear, using generator: Generator) throws {
        func zeros(_ shape: [Int]) throws -> Tensor { try .trainable(shape, for: base) }
        self.method = method
        down = try .loraDown(method.rank, for: base, using: generator)
        up = try zeros([base.outputSize, method.rank])
        startDown = try zeros([method.rank, base.inputSize])
        startUp = try zeros([base.outputSize, method.rank])
        scale = method.alpha / Double(method.rank)
        hasStarted = method.hasStarted
    }

    package var state: [(name: String, value: Tensor)] {
        [("delta_A.weight", startDown), ("delta_B.weight", startUp)]
    }

    package func savedTensors() throws -> [(name: String, value: Tensor)] { parameters + state }

    package func prepare(_ progress: TrainingProgress) {
        // One that was trained before may have kept its factors of step K then.
        let hadStarted = progress.startsTrained && method.hasStarted
        hasStarted = hadStarted || progress.step > method.deltaStart
        isAtStart = !hadStarted && progress.step == method.deltaStart
    }

    /// The definition: A and B are differentiated by s B A alone.
    package func weightUpdate(for base: Linear) throws -> Tensor {
        let product = try scale * up.matmul(down)
        guard isMoving else { return product }
        let moved = try withoutGradient {
            try product.detached() - scale * startUp.matmul(startDown)
        }
        return try product + method.deltaScale * moved
    }

    /// Without λ this is LoRA, bit for bit.
    package var isMoving: Bool { hasStarted && method.deltaScale != 0 }

    package func callAsFunction(
        _ x: Tensor, through base: Linear, mode: ForwardMode
    ) throws -> Tensor {
        if isAtStart { try keepFactors() }
        let (down, up) = isMoving ? try pathFactors() : (down, up)
        return try base.withPath(x, mode: mode, down: down, up: up, scale: scale)
    }

    /// Step K sees its factors before they move.
    private func keepFactors() throws {
        try withoutGradient {
            try startDown.copy(from: down)
            try startUp.copy(from: up)
        }
        isAtStart = false
    }

    /// (1 + λ) B A − λ B_K A_K as one path of rank 2r: [A; A_K] and [(1 + λ) B, −λ B_K].
    ///
    /// Its gradients at A and B are those of B A alone: A's comes back (1 + λ) times too large.
    private func pathFactors() throws -> (down: Tensor, up: Tensor) {
        let (rank, share) = (method.rank, method.deltaScale)
        let made = try customFunction("deltaLoRA", of: [down, up]) {
            [
                try .joined([down, startDown], along: 0),
                try .joined([up * (1 + share), startUp * -share], along: 1),
            ]
        } backward: { gradients, _ in
            [
                try gradients[0].map { try $0.slice(0..<rank) / (1 + share) },
                try gradients[1]?.slice(0..<rank, along: 1),
            ]
        }
        return (made[0], made[1])
    }
}
