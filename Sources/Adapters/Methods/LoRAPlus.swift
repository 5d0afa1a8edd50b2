import DualModules
import DualTorch

/// LoRA+: LoRA whose B learns faster than its A.
///
///     W' = W₀ + (α / r) B A,  η_B = λ η_A
///
/// Hayou et al. 2024, arXiv:2402.12354, section 4. Reference: PEFT's `create_loraplus_optimizer`: λ goes
/// for B and for whatever has one dimension, biases and norms. An adapter is LoRA's, in its file too, and is read back as LoRA.
public struct LoRAPlus: LinearAdapterMethod {
    public static let facts = MethodFacts(
        name: "lora-plus", title: "LoRA+",
        equation: "W' = W0 + (alpha / r) B A, rate of B = ratio * rate of A",
        parameterFormula: "r (d + k)", merges: true, source: "Hayou et al. 2024, arXiv:2402.12354")
    public static let format = LoRA.format.writtenOnly
    public static let hyperparameters =
        LoRA.hyperparameters.map { $0.lifted(to: \LoRAPlus.lora) } + [
            Hyperparameter(
                "loraplus-lr-ratio", \.rateRatio, .positive,
                "What the learning rate is multiplied by for B, biases and norms.")
        ]

    /// What both have in common.
    public var lora: LoRA
    /// λ
    public var rateRatio: Double

    public init() { self.init(LoRA()) }

    public init(_ lora: LoRA = LoRA(), rateRatio: Double = 16) {
        self.lora = lora
        self.rateRatio = rateRatio
    }

    public mutating func resolve(_ given: GivenOptions) throws { try lora.resolve(given) }

    public var trainedBiases: TrainedBiases { lora.trainedBiases }

    public func parameterCount(outputSize: Int, inputSize: Int) -> Int {
        lora.parameterCount(outputSize: outputSize, inputSize: inputSize)
    }

    /// That of A, below LoRA's.
    public let defaultLearningRate = 2e-4

    public func learningRateFactor(of tensor: String, dimensions: Int) -> Double {
        tensor.contains(".lora_B.") || dimensions == 1 ? rateRatio : 1
    }

    public func makeAdapter(
        for base: Linear, using generator: Generator
    ) throws -> any LinearAdapter {
        try lora.makeAdapter(for: base, using: generator)
    }
}
