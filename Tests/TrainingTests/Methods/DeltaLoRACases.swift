import DualAdapters

extension MethodCase {
    static let deltaLoRA = [
        MethodCase(method: "delta-lora", options: ["rank": "4", "delta-start": "3"]),
        MethodCase(
            method: "delta-lora", options: ["rank": "4", "delta-start": "0", "delta-scale": "0.5"]),
    ]
}
