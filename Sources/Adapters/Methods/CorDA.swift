import DualModules
import DualTorch

/// CorDA: LoRA that begins at the directions of the weight that matter most, or least, to given
/// data.
///
///     W' = W₀ + s (B A − B₀ A₀),  s = α / r
///     U Σ Vᵀ = svd(W₀ C),  B₀ = U √(Σ / s),  A₀ = √(Σ / s) Vᵀ C⁻¹,  of the r first or last triples
///
/// C (in, in) is the covariance of the layer's input. Yang et al. 2024, arXiv:2406.05223, eq. 2-6.
/// Reference: PEFT's `preprocess_corda` and `corda_init`. There W₀ − s B₀ A₀ takes the weight's
/// place; here B₀ A₀ is a path of low rank that does not train, and the weight stays as it is. A
/// saved adapter is a LoRA of rank 2r on the plain weight: [B, −B₀] [A; A₀].
public struct CorDA: LinearAdapterMethod, CalibratedMethod {
    public static let facts = MethodFacts(
        name: "corda", title: "CorDA", equation: "W' = W0 + (alpha / r) (B A - B0 A0)",
        parameterFormula: "r (d + k)", merges: true, source: "Yang et al. 2024, arXiv:2406.05223")
    public static let format = LoRA.format.writtenOnly
    public static let hyperparameters: [Hyperparameter<CorDA>] = [
        .rank(\.rank), .alpha(\.alpha, scale: LoRA.standardScale, rank: \.rank),
        .dropout(\.dropout),
        Hyperparameter(
            "corda-method", \.mode, .choice,
            "ipm begins at what matters most to the data, kpm at what matters least."),
        Hyperparameter(
            "calibration-samples", \.calibrationSamples, .integer(atLeast: 1),
            "Training examples to look at."),
    ]

    /// The triples that train; the names are PEFT's.
    public enum Mode: String, CaseIterable, Sendable {
        /// Instruction-previewed: the first.
        case instructionPreviewed = "ipm"
        /// Knowledge-preserved: the last.
        case knowledgePreserved = "kpm"
    }

    public var rank: Int
    public var alpha: Double
    /// Probability of dropping elements of the adapter's input.
    public var dropout: Double
    public var mode: Mode
    public var calibrationSamples: Int

    public init() { self.init(alpha: nil) }

    public init(
        rank: Int = 16, alpha: Double? = nil, dropout: Double = 0,
        mode: Mode = .instructionPreviewed, calibrationSamples: Int = 256
    ) {
        self.rank = rank
        self.alpha = alpha ?? LoRA.standardScale * Double(rank)
        self.dropout = dropout
        self.mode = mode
        self.calibrationSamples = calibrationSamples
    }

    /// What B A is multiplied by.
    var scale: Double { alpha / Double(rank) }

    public func parameterCount(outputSize: Int, inputSize: Int) -> Int {
        rank * (outputSize + inputSize)
    }

    public let defaultLearningRate = 5e-4

    /// Until it is calibrated, an adapter is LoRA's, and starts as that does.
    public func makeAdapter(
        for base: Linear, using generator: Generator
    ) throws -> any LinearAdapter {
        try CorDALayer(self, for: base, using: generator)
    }

    /// The covariances of all layers come from one pass over the data, and go one by one.
    public func calibrate(_ parts: [PlacedPart], by run: () throws -> Void) throws {
        let adapted = parts.compactMap { placed -> (layer: Linear, adapter: CorDALayer)? in
            if case .linear(let layer, let adapter as CorDALayer) = placed {
                (layer, adapter)
            } else {
                nil
            }
        }
        for (layer, _) in adapted where rank > min(layer.outputSize, layer.inputSize) {
            throw AdapterError.badOption(
                method: Self.facts.name, option: "rank",
                reason: "\(rank) is more than \(layer.path) has, which is "
                    + "\(layer.outputSize) x \(layer.inputSize)")
        }
        var covariances = try InputCovariance.watching(adapted.map(\.layer), run)
        for (layer, adapter) in adapted.reversed() {
            guard let covariance = covariances.popLast() else { break }
            let start = try ContextDecomposition(
                of: try layer.weight.value, under: covariance, path: layer.path)
            let chosen = try start.factors(rank: rank, takingFirst: mode == .instructionPreviewed)
            try adapter.begin(
                down: chosen.down / scale.squareRoot(), up: chosen.up / scale.squareRoot())
        }
    }

    /// A saved adapter is a LoRA, which that method reads.
    public func complete(
        _ fields: inout [String: Any], of parts: [any AdapterPart], seed: UInt64
    ) {
        fields = LoRA(rank: 2 * rank, alpha: 2 * alpha, dropout: dropout)
            .fields(of: parts, seed: seed)
    }
}

/// One layer's CorDA: `down` is A (r, in), `up` is B (out, r), `startDown` and `startUp` are A₀ and
/// B₀.
package final class CorDALayer: LowRankChange {
    package let down, up: Tensor
    let startDown, startUp: Tensor
    private let method: CorDA

    fileprivate init(_ method: CorDA, for base: Linear, using generator: Generator) throws {
        func zeros(_ shape: [Int]) throws -> Tensor { try .trainable(shape, for: base) }
        self.method = method
        down = try .loraDown(method.rank, for: base, using: generator)
        up = try zeros([base.outputSize, method.rank])
        startDown = try zeros([method.rank, base.inputSize])
        startUp = try zeros([base.outputSize, method.rank])
    }

    package var state: [(name: String, value: Tensor)] {
        [("corda_A.weight", startDown), ("corda_B.weight", startUp)]
    }

    /// As a LoRA of twice the rank.
    package func savedTensors() throws -> [(name: String, value: Tensor)] {
        try withoutGradient {
            [
                ("lora_A.weight", try .joined([down, startDown], along: 0)),
                ("lora_B.weight", try .joined([up, -startUp], along: 1)),
            ]
        }
    }

    func begin(down: Tensor, up: Tensor) throws {
        try withoutGradient {
            for tensor in [self.down, startDown] { try tensor.copy(from: down) }
            for tensor in [self.up, startUp] { try tensor.copy(from: up) }
        }
    }

    /// The definition.
    package func weightUpdate(for base: Linear) throws -> Tensor {
        try method.scale * (up.matmul(down) - startUp.matmul(startDown))
    }

    package func callAsFunction(
        _ x: Tensor, through base: Linear, mode: ForwardMode
    ) throws -> Tensor {
        let (scale, dropout) = (method.scale, method.dropout)
        guard mode.isTraining, dropout > 0 else {
            return try base.withPath(
                x, mode: mode, down: .joined([down, startDown], along: 0),
                up: .joined([up, -startUp], along: 1), scale: scale)
        }
        // Nothing is dropped on the way to the part that stands for the weight.
        let residual = try base.withPath(
            x, mode: mode, down: startDown, up: startUp, scale: -scale)
        let inner = try mode.dropping(x, probability: dropout).linear(down.to(x.dtype))
        return try residual + scale * inner.linear(up.to(x.dtype))
    }
}
