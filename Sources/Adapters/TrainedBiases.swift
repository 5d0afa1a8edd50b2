import DualModules

/// Which biases of the model train along with an adapter; the names are PEFT's but for the prefix of
/// the last (`lora_only`, `vera_only`).
public enum TrainedBiases: String, CaseIterable, Sendable {
    case none
    case all
    /// Those of the adapted layers.
    case adapted
}

extension TrainedBiases {
    /// PEFT's name, whose last part is the method's.
    func name(adapted: String) -> String { self == .adapted ? adapted : rawValue }

    init?(_ name: String, adapted: String) {
        if name == adapted {
            self = .adapted
        } else if name == Self.adapted.rawValue {
            return nil
        } else {
            self.init(rawValue: name)
        }
    }
}

extension GivenOptions {
    func biases(adapted: String) throws -> TrainedBiases {
        let name = text("bias") ?? "none"
        guard let choice = TrainedBiases(name, adapted: adapted) else {
            throw bad("bias", "'\(name)' is none of none, all, \(adapted)")
        }
        return choice
    }
}

extension ConfigurationFile {
    func biases(adapted: String) throws -> TrainedBiases {
        let name = try text("bias") ?? "none"
        guard let choice = TrainedBiases(name, adapted: adapted) else {
            throw bad("bias", found: name, expected: "one of none, all, \(adapted)")
        }
        return choice
    }
}
