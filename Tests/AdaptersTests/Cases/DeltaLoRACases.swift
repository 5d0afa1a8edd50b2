@testable import DualAdapters

extension AdapterCase {
    static let deltaLoRA: [AdapterCase] = [
        delta("delta-lora", DeltaLoRA(rank: 4)),
        delta("delta-lora from step 3 on", DeltaLoRA(rank: 4, deltaStart: 3)),
        delta("delta-lora whose weight has moved", moved, smooth: []),
    ]

    private static func delta(
        _ description: String, _ method: DeltaLoRA, smooth: [Int]? = nil
    ) -> AdapterCase {
        // B is zero, and with it A's gradient. Once the weight has moved, what A and B do to it has
        // no part in their gradients.
        AdapterCase(
            testDescription: description, method: method, count: { 4 * ($0 + $1) },
            silentAtStart: ["lora_A.weight"], smooth: smooth)
    }

    private static var moved: DeltaLoRA {
        var method = DeltaLoRA(rank: 4, alpha: 3, deltaScale: 0.5, deltaStart: 0)
        method.hasStarted = true
        return method
    }
}
