@testable import DualAdapters

extension AdapterCase {
    static let randLoRA: [AdapterCase] = [
        randLoRA("randlora", RandLoRA(rank: 2, alpha: 2)) { 3 * (2 + min($0, $1)) },
        randLoRA("randlora at its own scale", RandLoRA(rank: 2)) { 3 * (2 + min($0, $1)) },
        randLoRA("randlora of one base", RandLoRA(rank: 9, alpha: 4)) { 9 + min($0, $1) },
        randLoRA("randlora, sparse", variant { $0.isSparse = true }) { 3 * (2 + min($0, $1)) },
        randLoRA("randlora, very sparse", variant { $0.isVerySparse = true }) {
            3 * (2 + min($0, $1))
        },
        randLoRA("randlora without its bases", variant { $0.projections.areSaved = false }) {
            3 * (2 + min($0, $1))
        },
        randLoRA("randlora with dropout", RandLoRA(rank: 2, alpha: 2, dropout: 0.4), drops: true) {
            3 * (2 + min($0, $1))
        },
    ]

    private static func randLoRA(
        _ description: String, _ method: RandLoRA, drops: Bool = false,
        count: @escaping @Sendable (Int, Int) -> Int
    ) -> AdapterCase {
        // λ is zero, and with it γ's gradient.
        AdapterCase(
            testDescription: description, method: method, count: count, startsAtRandom: false,
            drops: drops, silentAtStart: ["randlora_gamma"])
    }

    private static func variant(_ change: (inout RandLoRA) -> Void) -> RandLoRA {
        var method = RandLoRA(rank: 2, alpha: 2)
        change(&method)
        return method
    }
}
