/// Which biases of the model train along with an adapter; the names are PEFT's but for the prefix of
/// the last (`lora_only`, `vera_only`).
public enum TrainedBiases: String, CaseIterable, Sendable {
    case none
    case all
    /// Those of the adapted layers.
    case adapted
}

extension ValueForm<TrainedBiases> {
    /// - Parameter adapted: PEFT's name for the biases of the adapted layers, in which the method is.
    public static func biases(adapted: String) -> ValueForm {
        oneOf { $0 == .adapted ? adapted : $0.rawValue }
    }
}
