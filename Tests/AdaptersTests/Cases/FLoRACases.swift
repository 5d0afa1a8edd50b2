@testable import DualAdapters

extension AdapterCase {
    static let flora: [AdapterCase] = [
        flora("flora", FLoRA(rank: 4)) { 4 * ($0 + $1 + 4) },
        flora("flora as for language understanding", likeUnderstanding) { 4 * ($0 + $1 + 4) },
        flora("flora with dropout", FLoRA(rank: 4, dropout: 0.4), drops: true) {
            4 * ($0 + $1 + 4)
        },
    ]

    private static func flora(
        _ description: String, _ method: FLoRA, drops: Bool = false,
        count: @escaping @Sendable (Int, Int) -> Int
    ) -> AdapterCase {
        // E is zero, and with it the gradients of what stands on its sides.
        AdapterCase(
            testDescription: description, method: method, count: count, drops: drops,
            silentAtStart: ["lora_A.weight", "lora_B.weight"])
    }

    private static var likeUnderstanding: FLoRA {
        var method = FLoRA(rank: 4)
        method.initStyle = .nlu
        return method
    }
}
