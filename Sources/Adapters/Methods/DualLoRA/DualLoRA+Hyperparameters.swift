import DualModules

extension DualLoRA {
    // PEFT has no such type: the fields' names are this package's.
    public static let hyperparameters: [Hyperparameter<DualLoRA>] = [
        Hyperparameter(
            option: "rank",
            "The trainable budget, half of it for each group. Default \(2 * standardRank)."),
        Hyperparameter(
            "magnitude-rank", \.magnitudeRank, .rank, "r1, the rank of B A.",
            default: "half of the budget", key: "r1"
        ).firstSize(of: "dual_lora_A.weight") { method, _ in method.magnitudeRank },
        Hyperparameter(
            "direction-rank", \.directionRank, .rank, "r2, the rank of D C.",
            default: "half of the budget",
            unless: { $0.variant.direction == .fixed ? "a fixed direction has no rank" : nil },
            key: "r2"
        ).firstSize(of: "dual_lora_C.weight") { method, _ in method.directionRank },
        Hyperparameter(
            "alpha", \.alpha, .positive, "Scale: alpha / sqrt(r1 r2).",
            default: "what makes it 2", standard: \.standardAlpha, key: "lora_alpha"),
        .dropout(\.dropout),
        Hyperparameter(
            "gate-steps", \.gateSteps, .optional(.gateSteps, inFiles: "auto"),
            "Steps over which the update is faded in; 0 for none.",
            default: "those in which the learning rate rises",
            unless: {
                $0.warmup == .gate
                    ? nil : "with `warmup-mode` \($0.warmup.rawValue) there is no gate"
            }, key: "warmup_steps_gate"),
        Hyperparameter(
            "init-std", \.initialDeviation, .optional(.positive, inFiles: "auto"),
            "Deviation of the factors' start.",
            default: "so that the update starts at 2 % of the weight", key: "init_std"),
        Hyperparameter(
            "warmup-mode", \.warmup, .choice,
            "How the start is eased: gate (the update is faded in), subtract_init (it counts "
                + "from where it starts), lr_only (by the learning rate's warm-up alone).",
            key: "warmup_mode"),
        Hyperparameter(
            "sign-grad", \.variant.signGradient, .choice,
            "How the gradient passes Sign: ste_clip, ste_clip_dw, ste_identity, ste_hardtanh, "
                + "xnor, dorefa.",
            unless: {
                $0.variant.direction == .sign
                    ? nil
                    : "a direction that is \($0.variant.direction.rawValue) passes no gradient "
                        + "by a sign"
            }, key: "sign_grad"),
        Hyperparameter(
            "magnitude-fn", \.variant.magnitude, .choice,
            "F of the magnitude: relu, abs, sigmoid (which starts at half the scale, whatever the "
                + "factors, and asks for a small `alpha`), identity.", key: "magnitude_fn"),
        Hyperparameter(
            "direction-fn", \.variant.direction, .choice,
            "The direction: sign, identity, fixed (random signs that do not train).",
            key: "direction_fn"),
        Hyperparameter(
            option: "setting",
            "A setting of the paper's table 5: 1 without ReLU, 2 without Sign, 3 with a fixed "
                + "direction, 0 without both functions."),
        Hyperparameter(field: "gate", \.gate, .number),
    ]

    public mutating func resolve(_ given: GivenOptions) throws {
        try takeSetting(given)
        try shareRank(given)
        try checkScale(given)
    }

    /// Where no σ makes the start small, only α does, and no one α does so for every weight.
    private func checkScale(_ given: GivenOptions) throws {
        let size = variant.startingSize(
            magnitudeRank: magnitudeRank, directionRank: directionRank)
        guard size.power == 0, warmup != .subtractStart, !given.has("alpha") else { return }
        let start = Self.standardScale * size.factor
        throw given.bad(
            "magnitude-fn",
            "with \(variant.magnitude.rawValue) every element starts at \(start.withoutEmptyFraction), "
                + "beside weights of some 0.03; give an `alpha` for a start of a few per cent of them, "
                + "such as \(Self.smallAlpha), or `warmup-mode` subtract_init")
    }

    /// With the standard ranks, a start of 0.0006.
    private static let smallAlpha = 0.01

    /// `setting` says both functions.
    private mutating func takeSetting(_ given: GivenOptions) throws {
        guard let number = try given.value("setting", .text) else { return }
        guard let setting = Int(number).flatMap(DualLoRAVariant.setting) else {
            throw given.bad("setting", "'\(number)' is none of 0, 1, 2, 3")
        }
        guard !given.has("magnitude-fn"), !given.has("direction-fn") else {
            throw given.bad("setting", "give either it or `magnitude-fn` and `direction-fn`")
        }
        (variant.magnitude, variant.direction) = (setting.magnitude, setting.direction)
    }

    /// `rank` is the whole budget, as LoRA's: half of it goes to each group that trains. A group of
    /// which nothing is said has the other's rank.
    private mutating func shareRank(_ given: GivenOptions) throws {
        let whole = try given.value("rank", .rank)
        let (hasMagnitude, hasDirection) = (
            given.has("magnitude-rank"), given.has("direction-rank")
        )
        guard whole == nil || !hasMagnitude && !hasDirection else {
            throw given.bad("rank", "give either it or `magnitude-rank` and `direction-rank`")
        }
        if variant.direction == .fixed {
            if !hasMagnitude { magnitudeRank = whole ?? 2 * Self.standardRank }
        } else if let whole {
            guard whole % 2 == 0 else {
                throw given.bad(
                    "rank",
                    "\(whole) cannot be halved between magnitude and direction; "
                        + "give `magnitude-rank` and `direction-rank`")
            }
            (magnitudeRank, directionRank) = (whole / 2, whole / 2)
        } else if hasMagnitude, !hasDirection {
            directionRank = magnitudeRank
        } else if hasDirection, !hasMagnitude {
            magnitudeRank = directionRank
        }
    }

    public func complete(
        _ fields: inout [String: Any], of parts: [any AdapterPart], seed: UInt64
    ) {
        fields["gate"] = (parts.first as? DualLoRALayer)?.gate ?? gate
        fields["seed"] = seed
        if variant.direction == .fixed { fields["r2"] = nil }
    }

    public mutating func complete(from file: ConfigurationFile) throws {
        guard 0...1 ~= gate else {
            throw file.bad("gate", found: "\(gate)", expected: "from 0 to 1")
        }
    }
}

extension ValueForm<Int> {
    fileprivate static var gateSteps: ValueForm {
        integer(atLeast: 0).inFiles({ $0 }) { file, key in
            guard let steps = try file.integer(key) else { return nil }
            guard steps >= 0 else {
                throw file.bad(key, found: "\(steps)", expected: "at least 0 or auto")
            }
            return steps
        }
    }
}
