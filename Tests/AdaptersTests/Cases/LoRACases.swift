@testable import DualAdapters

extension AdapterCase {
    static let lora: [AdapterCase] = [
        lora("lora", LoRA(rank: 4)) { 4 * ($0 + $1) },
        lora("lora, rank-stabilised", rankStabilized) { 9 * ($0 + $1) },
        lora("lora with dropout", LoRA(rank: 4, dropout: 0.4), drops: true) { 4 * ($0 + $1) },
        lora("lora, a rank for the layer", patterned) { 3 * ($0 + $1) },
        lora("lora, a bias of B", biased(dropout: 0)) { 4 * ($0 + $1) + $0 },
        lora("lora, a bias of B, with dropout", biased(dropout: 0.4), drops: true) {
            4 * ($0 + $1) + $0
        },
        lora("lora, gaussian start", gaussian) { 4 * ($0 + $1) },
    ]

    static let loraPlus: [AdapterCase] = [
        AdapterCase(
            testDescription: "lora-plus", method: LoRAPlus(LoRA(rank: 4), rateRatio: 4),
            count: { 4 * ($0 + $1) }, silentAtStart: ["lora_A.weight"], readsAsItself: false)
    ]

    private static func lora(
        _ description: String, _ method: LoRA, drops: Bool = false,
        count: @escaping @Sendable (Int, Int) -> Int
    ) -> AdapterCase {
        // B is zero, and with it A's gradient.
        AdapterCase(
            testDescription: description, method: method, count: count, drops: drops,
            silentAtStart: ["lora_A.weight"])
    }

    private static var rankStabilized: LoRA {
        var method = LoRA(rank: 9, alpha: 6)
        method.rankStabilized = true
        return method
    }

    private static var patterned: LoRA {
        var method = LoRA(rank: 9)
        method.ranks = LayerPattern([("key", 2), ("query", 3)])
        method.alphas = LayerPattern([("layer.0.query", 4)])
        return method
    }

    private static func biased(dropout: Double) -> LoRA {
        var method = LoRA(rank: 4, dropout: dropout)
        method.hasBias = true
        return method
    }

    private static var gaussian: LoRA {
        var method = LoRA(rank: 4)
        method.start = .gaussian
        return method
    }
}
