import DualModules
import DualTorch

/// Dual LoRA: how far a weight moves (magnitude) and which way (direction), learned apart.
///
///     W' = W₀ + ω · α / √(r₁ r₂) · ReLU(B A) ⊙ Sign(D C)
///     A (r₁, in), B (out, r₁), C (r₂, in), D (out, r₂), all four drawn from N(0, σ²)
///
/// Xu et al., "Dual LoRA: Enhancing LoRA with Magnitude and Direction Updates", eq. 5-10. The
/// gradients are eq. 12, with the clip where eq. 7 puts it: at the output of Sign, after the scale
/// and the magnitude. ω is the warm-up that "makes sure that ΔW = 0 at the start": min(1, step / T),
/// over the same steps as the learning rate's warm-up unless said otherwise.
public struct DualLoRA: LinearAdapterMethod {
    public static let facts = MethodFacts(
        name: "dual-lora", title: "Dual LoRA",
        equation: "W' = W0 + alpha / sqrt(r1 r2) ReLU(B A) * Sign(D C)",
        parameterFormula: "(r1 + r2) (d + k)", merges: true, source: "Xu et al., eq. 5-10")
    public static let peftType = "DUAL_LORA"
    public static let options: [MethodOption] = [
        MethodOption(
            "rank", "The trainable budget, half of it for each group. Default 16."),
        MethodOption("magnitude-rank", "r1, the rank of B A."),
        MethodOption("direction-rank", "r2, the rank of D C."),
        MethodOption("alpha", "Scale: alpha / sqrt(r1 r2). Default: what makes it 2."),
        .dropout,
        MethodOption(
            "gate-steps",
            "Steps over which the update is faded in; 0 for none. Default: those in which the "
                + "learning rate rises."),
        MethodOption(
            "init-std",
            "Deviation of the factors' start. Default: so that the update starts at 2 % of the "
                + "weight."),
        MethodOption("sign-grad", "How the gradient passes Sign: ste_clip, ste_clip_dw."),
    ]

    /// r₁, of B A.
    public var magnitudeRank: Int
    /// r₂, of D C.
    public var directionRank: Int
    public var alpha: Double
    /// Probability of dropping elements of the adapter's input.
    public var dropout: Double
    /// σ of all four factors; nil chooses it for each layer so that ΔW starts (at ω = 1) with a
    /// root mean square of 2 % of the weight's.
    public var initialDeviation: Double?
    /// T: optimizer steps until ω is 1, at most the steps of the run; 0 for ω = 1 throughout, nil for
    /// the steps in which the learning rate rises.
    public var gateSteps: Int?
    public var signGradient = SignGradient.clip
    /// ω of an adapter that is not being trained.
    public var gate = 1.0

    public init(
        magnitudeRank: Int = 8, directionRank: Int = 8, alpha: Double? = nil, dropout: Double = 0,
        initialDeviation: Double? = nil, gateSteps: Int? = nil
    ) {
        self.magnitudeRank = magnitudeRank
        self.directionRank = directionRank
        self.alpha = alpha ?? 2 * Double(magnitudeRank * directionRank).squareRoot()
        self.dropout = dropout
        self.initialDeviation = initialDeviation
        self.gateSteps = gateSteps
    }

    /// `rank` is the whole budget, as LoRA's: half of it goes to each group.
    public init(_ options: MethodOptions) throws {
        let given = try options.of(Self.self)
        let half = try Self.half(of: given)
        let magnitude = try given.rank("magnitude-rank")
        let direction = try given.rank("direction-rank")
        self.init(
            magnitudeRank: magnitude ?? direction ?? half ?? 8,
            directionRank: direction ?? magnitude ?? half ?? 8,
            alpha: try given.positive("alpha"), dropout: try given.probability() ?? 0,
            initialDeviation: try given.positive("init-std"),
            gateSteps: try given.integer("gate-steps", atLeast: 0))
        signGradient = try given.choice("sign-grad") ?? .clip
    }

    private static func half(of given: GivenOptions) throws -> Int? {
        guard let rank = try given.rank() else { return nil }
        guard given.text("magnitude-rank") == nil, given.text("direction-rank") == nil else {
            throw given.bad("rank", "give either it or --magnitude-rank and --direction-rank")
        }
        guard rank % 2 == 0 else {
            throw given.bad(
                "rank",
                "\(rank) cannot be halved between magnitude and direction; "
                    + "give --magnitude-rank and --direction-rank")
        }
        return rank / 2
    }

    /// What ReLU(B A) ⊙ Sign(D C) is multiplied by, but for ω.
    public var scale: Double { alpha / Double(magnitudeRank * directionRank).squareRoot() }

    public func parameterCount(outputSize: Int, inputSize: Int) -> Int {
        (magnitudeRank + directionRank) * (outputSize + inputSize)
    }

    public let defaultLearningRate = 3e-3

    public func makeAdapter(for base: Linear, using generator: Generator) throws
        -> any LinearAdapter
    {
        let deviation = try initialDeviation ?? automaticDeviation(for: base)
        func draw(_ shape: [Int]) throws -> Tensor {
            try Tensor.normal(shape, deviation: deviation, using: generator).trained(beside: base)
        }
        return DualLoRALayer(
            self,
            a: try draw([magnitudeRank, base.inputSize]),
            b: try draw([base.outputSize, magnitudeRank]),
            c: try draw([directionRank, base.inputSize]),
            d: try draw([base.outputSize, directionRank]))
    }

    /// σ with RMS(ΔW) = s σ² √(r₁ / 2) = 2 % of RMS(W₀); 0.02 for a weight that is all zeros.
    func automaticDeviation(for base: Linear) throws -> Double {
        let target = try 0.02 * base.weight.value.rootMeanSquare()
        guard target > 0, target.isFinite else { return 0.02 }
        return (target / (scale * (Double(magnitudeRank) / 2).squareRoot())).squareRoot()
    }

    public func fields(of parts: [any AdapterPart], seed: UInt64) -> [String: Any] {
        let gate = (parts.first as? DualLoRALayer)?.gate ?? gate
        return [
            "r1": magnitudeRank, "r2": directionRank, "lora_alpha": alpha.asIntegerIfWhole,
            "lora_dropout": dropout, "init_std": initialDeviation as Any? ?? "auto",
            "magnitude_fn": "relu", "direction_fn": "sign", "sign_grad": signGradient.rawValue,
            "warmup_mode": "gate", "warmup_steps_gate": gateSteps as Any? ?? "auto", "gate": gate,
            "seed": seed,
        ]
    }

    public init(_ file: ConfigurationFile) throws {
        self.init(
            magnitudeRank: try file.rank("r1", default: 8),
            directionRank: try file.rank("r2", default: 8),
            alpha: try file.number("lora_alpha"),
            dropout: try file.probability("lora_dropout", default: 0),
            gateSteps: file.isAuto("warmup_steps_gate")
                ? nil : try file.integer("warmup_steps_gate"))
        gate = try file.number("gate") ?? 1
        signGradient = try file.choice("sign_grad", default: .clip)
        initialDeviation = file.isAuto("init_std") ? nil : try file.number("init_std")
        let known = [
            "magnitude_fn": "relu", "direction_fn": "sign", "warmup_mode": "gate",
        ]
        for (key, value) in known.sorted(by: { $0.key < $1.key }) {
            let found = try file.text(key) ?? value
            guard found == value else {
                throw AdapterError.unsupported(
                    file: file.url.path, key: key, found: found,
                    reason: "but only \(value) is supported")
            }
        }
    }
}

/// One layer's Dual LoRA.
final class DualLoRALayer: LinearAdapter, StepAwareAdapter {
    let a, b, c, d: Tensor
    private let method: DualLoRA
    /// ω
    private(set) var gate: Double

    init(_ method: DualLoRA, a: Tensor, b: Tensor, c: Tensor, d: Tensor) {
        (self.a, self.b, self.c, self.d) = (a, b, c, d)
        self.method = method
        gate = method.gate
    }

    var parameters: [(name: String, value: Tensor)] {
        zip(["A", "B", "C", "D"], [a, b, c, d]).map { ("dual_lora_\($0).weight", $1) }
    }

    func prepare(_ progress: TrainingProgress) {
        let rampSteps = min(method.gateSteps ?? progress.warmupSteps, progress.totalSteps)
        gate = rampSteps == 0 ? 1 : min(1, Double(progress.step) / Double(rampSteps))
    }

    /// The definition, eq. 9, differentiable by the rule of eq. 7, or of eq. 12 as it is printed.
    func weightUpdate(for base: Linear) throws -> Tensor {
        let magnitude = try b.matmul(a).relu()  // eq. 5
        let product = try d.matmul(c)
        switch method.signGradient {
        case .clip:
            let direction = try straightThroughSign(product)  // eq. 6
            return try gate * method.scale * (magnitude * direction)
        case .clipUpdate:
            return try updateWithClippedGradient(magnitude, product, scale: gate * method.scale)
        }
    }

    /// The same as blocks, with the values that the gate and the factors have now.
    private var update: DualLoRAUpdate {
        DualLoRAUpdate(
            a: a, b: b, c: c, d: d, scale: gate * method.scale, signGradient: method.signGradient)
    }

    /// Eq. 10. The update is formed when it is needed and never kept.
    func callAsFunction(_ x: Tensor, through base: Linear, mode: ForwardMode) throws -> Tensor {
        let drops = mode.isTraining && method.dropout > 0
        // A layer that trains itself, such as a pooler made anew, needs its own product's graph.
        let isApart = drops || base.weight.value.requiresGradient
        let input = drops ? try mode.dropping(x, probability: method.dropout) : x
        let changed = try input.linear(
            through: update, weight: isApart ? nil : base.weight.value,
            bias: isApart ? nil : base.bias?.value, outputSize: base.outputSize)
        return isApart ? try base.frozen(x) + changed : changed
    }

    /// What the layer's products see, bit for bit, where they are computed in the weight's type.
    func updatedWeight(for base: Linear) throws -> Tensor {
        try update.formed(onto: base.weight.value)
    }
}

extension ConfigurationFile {
    fileprivate func isAuto(_ key: String) -> Bool { fields[key] as? String == "auto" }
}
