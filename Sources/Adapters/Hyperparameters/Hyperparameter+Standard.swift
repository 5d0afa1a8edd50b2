// Hyper-parameters that many methods have.

extension Hyperparameter where Method: FineTuningMethod {
    /// r
    static func rank(
        _ path: WritableKeyPath<Method, Int> & Sendable, _ help: String = "Rank.",
        missing: Int? = nil
    ) -> Self {
        Self("rank", path, .rank, help, key: "r", missing: missing)
    }

    /// α, by default what makes the scale α / r what is said.
    static func alpha(
        _ path: WritableKeyPath<Method, Double> & Sendable, scale: Double,
        rank: @escaping @Sendable (Method) -> Int, key: String = "lora_alpha",
        missing: Double? = nil
    ) -> Self {
        Self(
            "alpha", path, .positive, "Scale: alpha / rank.",
            default: "what makes it \(scale.withoutEmptyFraction)",
            standard: { scale * Double(rank($0)) }, key: key, missing: missing)
    }

    static func dropout(
        _ path: WritableKeyPath<Method, Double> & Sendable, key: String = "lora_dropout"
    ) -> Self {
        Self(
            "dropout", path, .probability,
            "Probability of dropping elements of the adapter's input.", key: key)
    }

    /// - Parameter adapted: PEFT's name for the biases of the adapted layers.
    static func biases(
        _ path: WritableKeyPath<Method, TrainedBiases> & Sendable, adapted: String
    ) -> Self {
        Self(
            "bias", path, .biases(adapted: adapted),
            "Which biases train along: none, all, \(adapted).", key: "bias")
    }

    static func start(
        _ path: WritableKeyPath<Method, FactorStart> & Sendable, key: String
    ) -> Self {
        Self(
            "init-weights", path, .factorStart,
            "How A starts, B being zero: true (uniform within 1 / sqrt(inputs)) or gaussian "
                + "(deviation 1 / rank).", key: key)
    }
}
