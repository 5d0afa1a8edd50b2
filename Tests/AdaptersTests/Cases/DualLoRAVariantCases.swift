@testable import DualAdapters

extension AdapterCase {
    static let dualLoRAVariants: [AdapterCase] =
        SignGradient.allCases.dropFirst().map { rule in
            variant("dual-lora, \(rule.rawValue)", DualLoRAVariant(signGradient: rule))
        } + [
            variant("dual-lora, abs", DualLoRAVariant(magnitude: .abs)),
            variant("dual-lora, sigmoid", DualLoRAVariant(magnitude: .sigmoid)),
            variant("dual-lora, setting 0", .setting(0)),
            variant("dual-lora, setting 1", .setting(1)),
            variant("dual-lora, setting 2", .setting(2)),
            variant("dual-lora, setting 3", .setting(3)),
            variant("dual-lora, setting 3 with dropout", .setting(3), dropout: 0.4),
            variant(
                "dual-lora, sigmoid and identity",
                DualLoRAVariant(magnitude: .sigmoid, direction: .identity)),
            variant("dual-lora, subtract_init", DualLoRAVariant(), .subtractStart),
            variant(
                "dual-lora, subtract_init with dropout", DualLoRAVariant(), .subtractStart,
                dropout: 0.4),
            variant(
                "dual-lora, subtract_init, dorefa", DualLoRAVariant(signGradient: .doReFa),
                .subtractStart),
            variant("dual-lora, subtract_init, setting 3", .setting(3), .subtractStart),
            variant("dual-lora, lr_only", DualLoRAVariant(), .learningRateOnly),
        ]

    private static func variant(
        _ description: String, _ variant: DualLoRAVariant?, _ warmup: DualLoRA.Warmup = .gate,
        dropout: Double = 0
    ) -> AdapterCase {
        let variant = variant ?? DualLoRAVariant()
        let isFixed = variant.direction == .fixed
        let letters = isFixed ? ["A", "B"] : ["A", "B", "C", "D"]
        return AdapterCase(
            testDescription: description,
            method: DualLoRA(
                magnitudeRank: 4, directionRank: isFixed ? 8 : 3, dropout: dropout,
                variant: variant,
                warmup: warmup),
            count: { (isFixed ? 4 : 7) * ($0 + $1) }, startsAtBase: warmup != .learningRateOnly,
            drops: dropout > 0,
            // While a gate is shut, so is every gradient.
            silentAtStart: warmup == .gate ? Set(letters.map { "dual_lora_\($0).weight" }) : [],
            // Sign has a stand-in for a gradient.
            smooth: variant.direction == .sign ? [0, 1] : nil)
    }
}
