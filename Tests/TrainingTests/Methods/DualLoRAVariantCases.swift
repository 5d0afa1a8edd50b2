import DualAdapters

extension MethodCase {
    static let dualLoRAVariants =
        ["ste_identity", "ste_hardtanh", "xnor", "dorefa"].map {
            MethodCase(method: "dual-lora", options: ["rank": "4", "sign-grad": $0])
        }
        + ["0", "1", "2", "3"].map {
            MethodCase(method: "dual-lora", options: ["rank": "4", "setting": $0])
        } + [
            MethodCase(method: "dual-lora", options: ["rank": "4", "magnitude-fn": "abs"]),
            MethodCase(
                method: "dual-lora",
                options: ["rank": "4", "magnitude-fn": "sigmoid", "alpha": "0.1"]),
            MethodCase(
                method: "dual-lora", options: ["rank": "4", "warmup-mode": "subtract_init"]),
            MethodCase(
                method: "dual-lora",
                options: ["rank": "4", "warmup-mode": "subtract_init", "setting": "3"]),
            MethodCase(
                method: "dual-lora", options: ["rank": "4", "warmup-mode": "lr_only"],
                startTolerance: nil),
        ]
}
