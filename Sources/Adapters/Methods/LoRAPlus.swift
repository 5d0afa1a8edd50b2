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
    public static let peftType = LoRA.peftType
    public static let options: [MethodOption] =
        LoRA.options + [
            MethodOption(
                "loraplus-lr-ratio",
                "What the learning rate is multiplied by for B, biases and norms. Default 16.")
        ]

    /// What both have in common.
    public var lora: LoRA
    /// λ
    public var rateRatio: Double

    public init(_ lora: LoRA = LoRA(), rateRatio: Double = 16) {
        self.lora = lora
        self.rateRatio = rateRatio
    }

    public var settings: MethodOptions {
        lora.settings.with(MethodOptions(chosen: ["loraplus-lr-ratio": rateRatio]))
    }

    public init(_ options: MethodOptions) throws {
        let given = try options.of(Self.self)
        self.init(
            try LoRA(given), rateRatio: try given.positive("loraplus-lr-ratio") ?? 16)
    }

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

    public func fields(of parts: [any AdapterPart], seed: UInt64) -> [String: Any] {
        lora.fields(of: parts, seed: seed)
    }

    public static func reads(_ file: ConfigurationFile) -> Bool { false }

    public init(_ file: ConfigurationFile) throws { self.init(try LoRA(file)) }
}
