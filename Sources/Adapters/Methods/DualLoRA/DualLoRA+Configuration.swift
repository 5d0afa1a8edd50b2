import DualModules

// Dual LoRA's `adapter_config.json`; PEFT has no such type, so the names are this package's.
extension DualLoRA {
    public func fields(of parts: [any AdapterPart], seed: UInt64) -> [String: Any] {
        var fields: [String: Any] = [
            "r1": magnitudeRank, "lora_alpha": alpha.asIntegerIfWhole, "lora_dropout": dropout,
            "init_std": initialDeviation as Any? ?? "auto",
            "magnitude_fn": variant.magnitude.rawValue,
            "direction_fn": variant.direction.rawValue,
            "sign_grad": variant.signGradient.rawValue, "warmup_mode": warmup.rawValue,
            "warmup_steps_gate": gateSteps as Any? ?? "auto",
            "gate": (parts.first as? DualLoRALayer)?.gate ?? gate, "seed": seed,
        ]
        if variant.direction != .fixed { fields["r2"] = directionRank }
        return fields
    }

    public init(_ file: ConfigurationFile) throws {
        self.init(
            magnitudeRank: try file.rank("r1", default: 8),
            directionRank: try file.rank("r2", default: 8),
            alpha: try file.number("lora_alpha"),
            dropout: try file.probability("lora_dropout", default: 0),
            initialDeviation: file.isAuto("init_std") ? nil : try file.number("init_std"),
            gateSteps: try file.gateSteps(),
            variant: DualLoRAVariant(
                magnitude: try file.choice("magnitude_fn", default: .relu),
                direction: try file.choice("direction_fn", default: .sign),
                signGradient: try file.choice("sign_grad", default: .clip)),
            warmup: try file.choice("warmup_mode", default: .gate))
        gate = try file.number("gate") ?? 1
        guard 0...1 ~= gate else {
            throw file.bad("gate", found: "\(gate)", expected: "from 0 to 1")
        }
    }
}

extension ConfigurationFile {
    fileprivate func gateSteps() throws -> Int? {
        let key = "warmup_steps_gate"
        guard !isAuto(key), let steps = try integer(key) else { return nil }
        guard steps >= 0 else { throw bad(key, found: "\(steps)", expected: "at least 0 or auto") }
        return steps
    }

    fileprivate func isAuto(_ key: String) -> Bool { fields[key] as? String == "auto" }
}
