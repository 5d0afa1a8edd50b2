@testable import DualAdapters

extension AdapterCase {
    static let adapterP: [AdapterCase] = [
        bottleneck("adapter-p") { _ in
        } count: {
            4 * ($0 + $1)
        },
        // U is zero, and with it the gradients below it.
        bottleneck(
            "adapter-p, mam with biases", startsAtBase: true,
            silentAtStart: ["adapter_down.weight", "adapter_down.bias"]
        ) {
            ($0.start, $0.hasBias, $0.activation, $0.scale) = (.mam, true, .relu, 4)
        } count: {
            4 * ($0 + $1) + 4 + $0
        },
        bottleneck("adapter-p, learned scale") {
            ($0.activation, $0.scale) = (.gelu, nil)
        } count: {
            4 * ($0 + $1) + 1
        },
        bottleneck(
            "adapter-p, serial input", startsAtBase: true, silentAtStart: ["adapter_down.weight"],
            leavesBaseGradient: false
        ) {
            ($0.place, $0.start, $0.activation) = (.serialInput, .mam, .silu)
        } count: { _, k in
            8 * k
        },
        bottleneck("adapter-p, serial output", leavesBaseGradient: false) {
            ($0.place, $0.hasBias) = (.serialOutput, true)
        } count: { d, _ in
            8 * d + 4 + d
        },
        // Only what is linear keeps its mean under dropout.
        bottleneck("adapter-p with dropout", drops: true) {
            ($0.activation, $0.dropout) = (.identity, 0.4)
        } count: {
            4 * ($0 + $1)
        },
    ]

    private static func bottleneck(
        _ description: String, startsAtBase: Bool = false, silentAtStart: Set<String> = [],
        leavesBaseGradient: Bool = true, drops: Bool = false, _ set: (inout AdapterP) -> Void,
        count: @escaping @Sendable (Int, Int) -> Int
    ) -> AdapterCase {
        var method = AdapterP(bottleneck: 4)
        set(&method)
        return AdapterCase(
            testDescription: description, method: method, count: count,
            startsAtBase: startsAtBase, drops: drops, silentAtStart: silentAtStart,
            leavesBaseGradient: leavesBaseGradient)
    }
}
