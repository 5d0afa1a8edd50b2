extension MethodCase {
    static let flora = [
        MethodCase(method: "flora"),
        MethodCase(method: "flora", options: ["rank": "4", "init-style": "nlu"]),
    ]
}
