extension MethodCase {
    static let projected = [
        MethodCase(method: "galore", options: ["update-proj-gap": "3"], learningRate: 1e-3),
        MethodCase(
            method: "galore", options: ["rank": "64", "proj-type": "full"], learningRate: 1e-3),
        MethodCase(
            method: "galore", options: ["rank": "2", "proj-type": "reverse_std"],
            learningRate: 1e-3),
        MethodCase(method: "garare", options: ["update-proj-gap": "4"], learningRate: 1e-3),
        MethodCase(
            method: "garare", options: ["rank": "3", "basis": "orthonormal"], learningRate: 1e-3),
    ]
}
