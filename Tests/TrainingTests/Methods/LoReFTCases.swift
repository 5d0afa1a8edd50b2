extension MethodCase {
    // No edit of last tokens alone: in a text they predict nothing, and it would not train.
    static let loreft = [
        MethodCase(
            method: "loreft", options: [:], startTolerance: nil,
            count: { slots, _ in slots.blocks.reduce(0) { $0 + 8 * $1.hiddenSize + 4 } }),
        MethodCase(
            method: "loreft",
            options: ["rank": "3", "positions": "f3", "layers": "1", "activation": "tanh"],
            startTolerance: nil,
            count: { slots, _ in 6 * slots.blocks[1].hiddenSize + 3 }),
        variant("direft", weights: 2), variant("noreft", weights: 2),
        variant("nodireft", weights: 2), variant("consreft", weights: 1),
        variant("lobireft", weights: 1),
    ]

    private static func variant(_ name: String, weights: Int) -> MethodCase {
        MethodCase(
            method: "loreft", options: ["rank": "2", "positions": "f2", "variant": name],
            startTolerance: nil,
            count: { slots, _ in
                slots.blocks.reduce(0) { $0 + 2 * weights * $1.hiddenSize + 2 }
            })
    }
}
