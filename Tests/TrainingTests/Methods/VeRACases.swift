extension MethodCase {
    static let vera = [
        MethodCase(method: "vera", learningRate: 5e-2),
        MethodCase(
            method: "vera",
            options: ["rank": "30", "save-projection": "false", "bias": "vera_only"],
            learningRate: 5e-2),
    ]
}
