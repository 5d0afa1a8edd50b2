extension MethodCase {
    static let loraPlus = [
        MethodCase(
            method: "lora-plus", options: ["rank": "4", "loraplus-lr-ratio": "4"],
            learningRate: 5e-3)
    ]

    // Outputs are scaled by 1 and the bias is added apart, so that a last bit may differ.
    static let dora = [
        MethodCase(method: "dora", startTolerance: 1e-4),
        MethodCase(
            method: "dora", options: ["rank": "2", "use-rslora": "true", "bias": "lora_only"],
            startTolerance: 1e-4),
        MethodCase(
            method: "dora", options: ["rank": "2", "rank-pattern": "c_attn=3,q_proj=3,query=3"],
            startTolerance: 1e-4,
            count: { _, layers in
                layers.reduce(0) { sum, layer in
                    let isNamed = ["c_attn", "q_proj", "query"].contains {
                        layer.path.hasSuffix($0)
                    }
                    let rank = isNamed ? 3 : 2
                    return sum + rank * (layer.outputSize + layer.inputSize) + layer.outputSize
                }
            }),
    ]

    static let hira = [
        MethodCase(method: "hira"),
        MethodCase(method: "hira", options: ["rank": "2", "init-weights": "gaussian"]),
    ]
}
