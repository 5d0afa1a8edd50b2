import DualModules

/// Full fine-tuning: every weight of the model trains, or those that are chosen.
///
///     W' = W₀ + ΔW, ΔW free
///
/// The upper baseline of the paper's tables (FFT). Xu et al., Dual LoRA, section 3.2. With `train` as
/// "bias" it is BitFit: Ben Zaken et al. 2021, arXiv:2106.10199.
public struct FullFineTuning: WeightTrainingMethod {
    public static let facts = MethodFacts(
        name: "full", title: "Full fine-tuning", equation: "W' = W0 + dW, dW free",
        parameterFormula: "d k", merges: false, source: "the baseline of every comparison")
    public static let hyperparameters = [
        Hyperparameter<FullFineTuning>(
            "train", \.trained,
            ValueForm(
                parse: { $0.split(separator: ",").map(String.init) }, read: { _, _ in nil },
                text: { $0.isEmpty ? nil : $0.joined(separator: ",") }
            ).refusing { $0.isEmpty ? "it names nothing" : nil },
            "Weights that train, the head aside: words of their names with commas (bias, norm, "
                + "layers.3).", default: "all")
    ]

    /// Texts of which a weight's name has one; empty for every weight.
    public var trained: [String] = []

    public init() {}

    public init(trained: [String]) { self.trained = trained }

    public func trains(weight name: String) -> Bool {
        trained.isEmpty || trained.contains { name.lowercased().contains($0.lowercased()) }
    }

    public let defaultLearningRate = 5e-5
}
