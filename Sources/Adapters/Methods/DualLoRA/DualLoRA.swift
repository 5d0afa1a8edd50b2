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
///
/// ``DualLoRAVariant`` has the other functions of appendix B and table 3, and ``Warmup`` the other
/// ways to begin.
public struct DualLoRA: LinearAdapterMethod {
    public static let facts = MethodFacts(
        name: "dual-lora", title: "Dual LoRA",
        equation: "W' = W0 + alpha / sqrt(r1 r2) ReLU(B A) * Sign(D C)",
        parameterFormula: "(r1 + r2) (d + k)", merges: true, source: "Xu et al., eq. 5-10")
    public static let format = AdapterFormat("DUAL_LORA")

    /// How a run begins, for ΔW is not zero at the factors' start; the names are those of
    /// `warmup_mode`.
    public enum Warmup: String, CaseIterable, Sendable {
        /// ω rises from 0: the base at the start, and no gradient yet.
        case gate
        /// ΔW less what it was at the start: the base at the start, and gradients at once. A saved
        /// adapter has the factors of the start beside those that trained, so that it is the same
        /// wherever it is loaded.
        case subtractStart = "subtract_init"
        /// ω is 1 from the first step, which begins beside the base.
        case learningRateOnly = "lr_only"
    }

    /// r₁, of B A.
    public var magnitudeRank = standardRank
    /// r₂, of D C.
    public var directionRank = standardRank
    public var alpha = standardScale * Double(standardRank)
    /// Probability of dropping elements of the adapter's input.
    public var dropout = 0.0
    /// σ of all four factors; nil chooses it for each layer so that ΔW starts (at ω = 1) with a
    /// root mean square of 2 % of the weight's.
    public var initialDeviation: Double?
    /// T: optimizer steps until ω is 1, at most the steps of the run; 0 for ω = 1 throughout, nil
    /// for the steps in which the learning rate rises.
    public var gateSteps: Int?
    public var variant = DualLoRAVariant()
    public var warmup = Warmup.gate
    /// ω of an adapter that is not being trained.
    public var gate = 1.0

    public static let largeModelRate: (rate: Double, source: String)? = (
        1e-3, "as HiRA, whose training the paper follows"
    )

    public init() {}

    public init(
        magnitudeRank: Int = standardRank, directionRank: Int = standardRank,
        alpha: Double? = nil, dropout: Double = 0, initialDeviation: Double? = nil,
        gateSteps: Int? = nil, variant: DualLoRAVariant = DualLoRAVariant(),
        warmup: Warmup = .gate
    ) {
        self.magnitudeRank = magnitudeRank
        self.directionRank = directionRank
        self.variant = variant
        self.warmup = warmup
        self.alpha = alpha ?? standardAlpha
        self.dropout = dropout
        self.initialDeviation = initialDeviation
        self.gateSteps = gateSteps
    }

    /// r₁ and r₂ where nothing is said.
    public static let standardRank = 8

    /// s where no alpha is said.
    static let standardScale = 2.0

    /// α where nothing is said.
    var standardAlpha: Double { Self.standardScale * divisor }

    /// s: what F(B A) ⊙ T(D C) is multiplied by, but for ω.
    public var scale: Double { alpha / divisor }

    /// √(r₁ r₂), or r₁ where the direction has no rank.
    private var divisor: Double {
        variant.direction == .fixed
            ? Double(magnitudeRank) : Double(magnitudeRank * directionRank).squareRoot()
    }

    public func parameterCount(outputSize: Int, inputSize: Int) -> Int {
        (magnitudeRank + (variant.direction == .fixed ? 0 : directionRank))
            * (outputSize + inputSize)
    }

    public let defaultLearningRate = 3e-3

    public func makeAdapter(for base: Linear, using generator: Generator) throws
        -> any LinearAdapter
    {
        let deviation = try initialDeviation ?? automaticDeviation(for: base)
        func draw(_ shape: [Int]) throws -> Tensor {
            try Tensor.normal(shape, deviation: deviation, using: generator).trained(beside: base)
        }
        let (a, b) = (
            try draw([magnitudeRank, base.inputSize]), try draw([base.outputSize, magnitudeRank])
        )
        let direction: DualLoRAFactors.Direction =
            variant.direction == .fixed
            ? .fixed(seed: try FixedDirection.drawSeed(using: generator))
            : .learned(
                c: try draw([directionRank, base.inputSize]),
                d: try draw([base.outputSize, directionRank]))
        return try DualLoRALayer(self, DualLoRAFactors(a: a, b: b, direction))
    }

    /// Any σ will do, and the weight's size need not be measured for it: a file has the factors.
    public func makeSavedParts(
        for slots: AdapterSlots, targets: TargetSelection
    ) throws -> AdapterParts {
        var method = self
        method.initialDeviation = 1
        return try method.makeParts(for: slots, targets: targets, using: Generator(seed: 0))
    }

    /// σ with RMS(ΔW), for ReLU and Sign s σ² √(r₁ / 2), at 2 % of RMS(W₀); 0.02 for a weight that
    /// is all zeros, and where σ does not decide.
    func automaticDeviation(for base: Linear) throws -> Double {
        let target = try 0.02 * base.weight.stored.rootMeanSquare()
        let size = variant.startingSize(
            magnitudeRank: magnitudeRank, directionRank: directionRank)
        guard target > 0, target.isFinite, size.power > 0 else { return 0.02 }
        let root = (target / (scale * size.factor)).squareRoot()
        return size.power == 4 ? root.squareRoot() : root
    }
}
