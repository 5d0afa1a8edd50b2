import DualModules

/// Full fine-tuning: every weight of the model trains.
///
///     W' = W₀ + ΔW, ΔW free
///
/// The upper baseline of the paper's tables (FFT). Xu et al., Dual LoRA, section 3.2.
public struct FullFineTuning: FineTuningMethod {
    public static let facts = MethodFacts(
        name: "full", title: "Full fine-tuning", equation: "W' = W0 + dW, dW free",
        parameterFormula: "d k", merges: false, source: "the baseline of every comparison")

    public init(_ options: MethodOptions = MethodOptions()) throws {
        try options.allow([], for: Self.facts)
    }

    public func parameterCount(outputSize: Int, inputSize: Int) -> Int { outputSize * inputSize }

    public let defaultLearningRate = 5e-5
}
