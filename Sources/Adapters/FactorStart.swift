import DualModules

/// How the factor of a product that starts at random is drawn, the other starting at zero; PEFT's
/// `init_lora_weights` and its kin.
public enum FactorStart: String, CaseIterable, Sendable {
    /// Uniform within ±1 / √k, PyTorch's `kaiming_uniform_(a=√5)`. PEFT calls it `true`.
    case uniform = "true"
    /// N(0, 1 / r²)
    case gaussian

    /// As `adapter_config.json` has it.
    var field: Any { self == .uniform ? true : rawValue }

    /// Starts of PEFT that leave the base's weights alone: of a saved adapter they say nothing more.
    private static let harmless = ["eva", "mica", "orthogonal"]

    /// - Throws: ``AdapterError/unsupported(file:key:found:reason:)`` for the starts that take a part out of
    ///   the base's weights, without which such an adapter is another.
    init(_ file: ConfigurationFile, _ key: String) throws {
        guard let name = (file.fields[key] as? String)?.lowercased() else {
            _ = try file.flag(key)
            self = .uniform
            return
        }
        guard name == Self.gaussian.rawValue || Self.harmless.contains(name) else {
            throw AdapterError.unsupported(
                file: file.url.path, key: key, found: name,
                reason: "a start that changes the base's weights: convert the adapter to plain LoRA"
            )
        }
        self = name == Self.gaussian.rawValue ? .gaussian : .uniform
    }
}

extension ValueForm<FactorStart> {
    static var factorStart: ValueForm {
        choice.inFiles(\.field) { file, key in
            try file.fields[key] == nil ? nil : FactorStart(file, key)
        }
    }
}
