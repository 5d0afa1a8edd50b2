@testable import DualAdapters

extension AdapterCase {
    static let dora: [AdapterCase] = [
        dora("dora", DoRA(LoRA(rank: 4))) { 4 * ($0 + $1) + $0 },
        dora("dora, rank-stabilised", DoRA(rankStabilized)) { 9 * ($0 + $1) + $0 },
        dora("dora with dropout", DoRA(LoRA(rank: 4, dropout: 0.4)), drops: true) {
            4 * ($0 + $1) + $0
        },
        dora("dora, gaussian start", DoRA(gaussian)) { 3 * ($0 + $1) + $0 },
    ]

    private static func dora(
        _ description: String, _ method: DoRA, drops: Bool = false,
        count: @escaping @Sendable (Int, Int) -> Int
    ) -> AdapterCase {
        // A start at the base multiplies by m / n = 1 and adds the bias apart. The norm counts as constant
        // in the gradients at A and B, and a base that trains has the factor m / n in its own.
        AdapterCase(
            testDescription: description, method: method, count: count, startTolerance: 5e-6,
            drops: drops, silentAtStart: ["lora_A.weight"], smooth: [2],
            leavesBaseGradient: false)
    }

    private static var rankStabilized: LoRA {
        var method = LoRA(rank: 9, alpha: 6)
        method.rankStabilized = true
        return method
    }

    private static var gaussian: LoRA {
        var method = LoRA(rank: 3)
        method.start = .gaussian
        return method
    }
}
