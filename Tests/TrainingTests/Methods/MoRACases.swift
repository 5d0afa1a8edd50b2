extension MethodCase {
    static let mora = ["1", "2", "3", "4", "6"].map {
        MethodCase(method: "mora", options: ["rank": "2", "mora-type": $0], learningRate: 1e-3)
    }
}
