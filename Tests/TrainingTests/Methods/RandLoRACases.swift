extension MethodCase {
    static let randLoRA = [
        MethodCase(method: "randlora", learningRate: 1e-3),
        MethodCase(
            method: "randlora", options: ["rank": "4", "sparse": "true", "bias": "all"],
            learningRate: 1e-3),
        MethodCase(
            method: "randlora",
            options: ["rank": "5", "very-sparse": "true", "save-projection": "false"],
            learningRate: 1e-3),
    ]
}
