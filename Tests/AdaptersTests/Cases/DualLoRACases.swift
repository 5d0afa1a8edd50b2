@testable import DualAdapters

extension AdapterCase {
    static let dualLoRA: [AdapterCase] = [
        dual("dual-lora", DualLoRA(magnitudeRank: 4, directionRank: 4)) { 8 * ($0 + $1) },
        dual("dual-lora, r1 > r2", DualLoRA(magnitudeRank: 5, directionRank: 2)) {
            7 * ($0 + $1)
        },
        dual("dual-lora, r1 < r2", DualLoRA(magnitudeRank: 1, directionRank: 3, alpha: 1)) {
            4 * ($0 + $1)
        },
        dual(
            "dual-lora without gate",
            DualLoRA(magnitudeRank: 4, directionRank: 4, gateSteps: 0), startsAtBase: false
        ) { 8 * ($0 + $1) },
        dual(
            "dual-lora with dropout", DualLoRA(magnitudeRank: 4, directionRank: 4, dropout: 0.4),
            drops: true
        ) { 8 * ($0 + $1) },
        dual(
            "dual-lora, given deviation",
            DualLoRA(magnitudeRank: 4, directionRank: 4, initialDeviation: 0.1)
        ) { 8 * ($0 + $1) },
    ]

    private static func dual(
        _ description: String, _ method: DualLoRA, startsAtBase: Bool = true, drops: Bool = false,
        count: @escaping @Sendable (Int, Int) -> Int
    ) -> AdapterCase {
        // While the gate is shut, so is every gradient; Sign has a stand-in for one.
        AdapterCase(
            testDescription: description, method: method, count: count,
            startsAtBase: startsAtBase, drops: drops,
            silentAtStart: startsAtBase
                ? Set(["A", "B", "C", "D"].map { "dual_lora_\($0).weight" }) : [],
            smooth: [0, 1])
    }
}
