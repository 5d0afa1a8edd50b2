import DualAdapters

extension Trainee {
    /// Whether a tensor decays: all but biases and norms, as the `Trainer` of transformers has it
    /// (`get_decay_parameter_names`). DoRA's magnitude decays, and so do the scales of VeRA and RandLoRA.
    func decays(_ trainable: Trainable) -> Bool {
        // A model's own vectors are biases and norms, whatever they are called.
        guard trainable.role == .adapter, decaysVectors else { return trainable.tensor.rank > 1 }
        return !Self.isBiasOrNorm(trainable.name)
    }

    /// Whether anything decays that does not where ``decaysVectors`` is false.
    package var hasDecayingVectors: Bool {
        trainables.contains { decays($0) && $0.tensor.rank <= 1 }
    }

    private static func isBiasOrNorm(_ name: String) -> Bool {
        let name = name.lowercased()
        return ["bias", "layernorm", "rmsnorm"].contains { name.contains($0) }
            || name.split(separator: ".").contains { $0 == "norm" || $0.hasSuffix("_norm") }
    }
}
