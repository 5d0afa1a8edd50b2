import DualModules
import DualTorch

/// DoRA: LoRA changes the direction of every row of a weight, and a number of its own is its length.
///
///     W' = diag(m / n) V,  V = W₀ + s B A,  n = ‖V‖ of every row
///     A (r, in), B (out, r), B₀ = 0, m (out), m₀ = ‖W₀‖ of every row
///
/// Liu et al. 2024, arXiv:2402.09353, eq. 5 and section 4.3: n follows V but counts as constant in the
/// gradient. Reference: PEFT's `DoraLinearLayer`: the bias stays, and with dropout what W₀ gives is scaled
/// for the dropped input, x W₀ᵀ + (m / n - 1) ⊙ (x' W₀ᵀ) + (m / n) ⊙ s (x' Aᵀ) Bᵀ.
public struct DoRA: LinearAdapterMethod {
    public static let facts = MethodFacts(
        name: "dora", title: "DoRA", equation: "W' = m V / |V|, V = W0 + (alpha / r) B A",
        parameterFormula: "r (d + k) + d", merges: true, source: "Liu et al. 2024, arXiv:2402.09353"
    )
    public static let format = LoRA.format.with {
        $0.discriminators = ["use_dora": true]
        $0.refusedFields.append("lora_bias")
        // PEFT reads both.
        $0.otherNames = [DoRALayer.magnitudeName: DoRALayer.magnitudeName + ".weight"]
    }
    // PEFT refuses a bias of B here.
    public static let hyperparameters = LoRA.hyperparameters.map {
        ($0.key == "lora_bias" ? $0.inFileAlone : $0).lifted(to: \DoRA.lora)
    }

    /// How V is made.
    public var lora: LoRA

    public static let largeModelRate: (rate: Double, source: String)? = (
        2e-4, "DoRA, LLaMA-7B; 1e-4 for LLaMA3-8B"
    )

    public init() { self.init(LoRA()) }

    public init(_ lora: LoRA = LoRA()) { self.lora = lora }

    public var trainedBiases: TrainedBiases { lora.trainedBiases }

    public func parameterCount(outputSize: Int, inputSize: Int) -> Int {
        lora.parameterCount(outputSize: outputSize, inputSize: inputSize) + outputSize
    }

    public func makeAdapter(
        for base: Linear, using generator: Generator
    ) throws -> any LinearAdapter {
        let lora = try lora.makeLayer(for: base, using: generator)
        let norms = AdaptedRowNorms()
        return DoRALayer(
            lora, magnitude: try norms.ofBase(base.weight.stored).squareRoot(), norms: norms)
    }
}

/// One layer's DoRA.
package final class DoRALayer: WeightChange {
    static let magnitudeName = "lora_magnitude_vector"

    /// A, B and s, which make V.
    let lora: LoRALayer
    /// m (out)
    let magnitude: Tensor
    private let norms: AdaptedRowNorms

    init(_ lora: LoRALayer, magnitude: Tensor, norms: AdaptedRowNorms = AdaptedRowNorms()) {
        (self.lora, self.magnitude, self.norms) = (lora, magnitude, norms)
    }

    /// r
    package var rank: Int { lora.rank }

    package var parameters: [(name: String, value: Tensor)] {
        lora.parameters + [(Self.magnitudeName, magnitude)]
    }

    /// The definition: diag(m / n) V - W₀.
    package func weightUpdate(for base: Linear) throws -> Tensor {
        let weight = try base.weight.value.to(magnitude.dtype)
        return try scaledDirection(base, weight) - weight
    }

    /// diag(m / n) V, with n as a constant.
    private func scaledDirection(_ base: Linear, _ weight: Tensor) throws -> Tensor {
        let direction = try weight + lora.weightUpdate(for: base)
        let norm = try direction.detached().rowNorms().clamped(
            from: AdaptedRowNorms.least, to: .infinity)
        return try (magnitude / norm).expandedDimension(at: 1) * direction
    }

    package func updatedWeight(for base: Linear) throws -> Tensor {
        let weight = try base.weight.value
        return try scaledDirection(base, weight.to(magnitude.dtype)).to(weight.dtype)
    }

    /// (m / n) ⊙ (x W₀ᵀ) + b + s (x Aᵀ) (diag(m / n) B)ᵀ: n comes without V, and what depends on m and n is
    /// as thin as B.
    package func callAsFunction(
        _ x: Tensor, through base: Linear, mode: ForwardMode
    ) throws -> Tensor {
        let norm = try norms.norms(
            base.weight.stored, down: lora.down, up: lora.up, scale: lora.scale)
        let factors = try magnitude / norm
        let drops = mode.isTraining && lora.dropout > 0
        let isApart = try drops || isMagnitudeLost(factors, base, as: x.dtype)
        let layer = LowRankLinear(
            weight: base.weight.stored,
            bias: isApart ? nil : try base.bias?.value.to(x.dtype),
            outputFactors: isApart ? try factors - 1 : factors, down: lora.down,
            up: try factors.expandedDimension(at: 1) * lora.up, scale: lora.scale)
        guard isApart else { return try layer(x) }
        let input = drops ? try mode.dropping(x, probability: lora.dropout) : x
        return try base.frozen(x, onto: layer(input))
    }

    /// Whether a number of a narrow type times m / n is that number again, and with it more than a tenth of
    /// the layer's change is gone: (m / n - 1) ⊙ (x W₀ᵀ) is then added to a product that is not rounded yet,
    /// at the price of that product.
    private func isMagnitudeLost(
        _ factors: Tensor, _ base: Linear, as dtype: DType
    ) throws -> Bool {
        guard dtype.isNarrow else { return false }
        return try withoutGradient {
            let offsets = try factors.detached() - 1
            let mostLost = 1.0 / 256
            guard try offsets.rootMeanSquare() < mostLost else { return false }
            let squares = try norms.ofBase(base.weight.stored)
            let ofMagnitude = try (offsets.squared() * squares).sum().item()
            let ofDirection = try lora.squaredNorm()
            return ofMagnitude > 0.01 * (ofMagnitude + ofDirection)
        }
    }
}

extension LoRALayer {
    /// ‖s B A‖², of Frobenius, without B A.
    fileprivate func squaredNorm() throws -> Double {
        let (down, up) = (try down.detached(), try up.detached())
        let crossed = try up.transposed().matmul(up) * down.matmul(down.transposed())
        return try scale * scale * crossed.sum().item()
    }
}
