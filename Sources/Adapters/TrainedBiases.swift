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
        let names: [(TrainedBiases, String)] = [
            (.none, "none"), (.all, "all"), (.adapted, adapted),
        ]
        let known = names.map(\.1).joined(separator: ", ")
        @Sendable func name(_ biases: TrainedBiases) -> String {
            biases == .adapted ? adapted : biases.rawValue
        }
        @Sendable func value(_ name: String) -> TrainedBiases? {
            names.first { $0.1 == name }?.0
        }
        return ValueForm(
            parse: { text in
                guard let biases = value(text) else {
                    throw BadOptionValue("'\(text)' is none of \(known)")
                }
                return biases
            },
            read: { file, key in
                guard let text = try file.text(key) else { return nil }
                guard let biases = value(text) else {
                    throw file.bad(key, found: text, expected: "one of \(known)")
                }
                return biases
            }, text: name, field: name)
    }
}
