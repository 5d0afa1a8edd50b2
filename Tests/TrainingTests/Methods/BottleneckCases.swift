import DualModules

extension MethodCase {
    static let bottlenecks = [
        MethodCase(
            method: "adapter-p", options: ["bottleneck": "4"], startTolerance: nil,
            count: feedForward { 4 * ($0 + $1) }),
        MethodCase(
            method: "adapter-p",
            options: [
                "bottleneck": "3", "init": "mam", "use-bias": "true", "activation": "relu",
                "scaling": "4",
            ], count: feedForward { 3 * ($0 + $1) + 3 + $0 }),
        MethodCase(
            method: "adapter-p",
            options: [
                "bottleneck": "3", "init": "mam", "mode": "serial-input", "scaling": "learned",
            ], count: feedForward { 6 * $1 + 1 }),
        MethodCase(
            method: "adapter-p", options: ["bottleneck": "3", "mode": "serial-output"],
            startTolerance: nil, count: feedForward { d, _ in 6 * d }),
        MethodCase(
            method: "adapter-l", options: ["bottleneck": "5"],
            count: { slots, _ in
                slots.blocks.reduce(0) { $0 + 2 * $1.hiddenSize * 5 + 5 + 3 * $1.hiddenSize }
            }),
        MethodCase(
            method: "adapter-l", options: ["bottleneck": "5", "placement": "houlsby"],
            startTolerance: nil,
            count: { slots, _ in
                slots.blocks.reduce(0) { $0 + 2 * (2 * $1.hiddenSize * 5 + 5 + $1.hiddenSize) }
            }),
    ]

    /// Numbers of the layers into and out of every feed-forward.
    private static func feedForward(
        _ count: @escaping @Sendable (_ d: Int, _ k: Int) -> Int
    ) -> @Sendable (AdapterSlots, [Linear]) -> Int {
        { slots, _ in
            slots.blockLayers.reduce(0) { sum, block in
                [block.feedForwardInput, block.feedForwardOutput].reduce(sum) {
                    $0 + count($1.outputSize, $1.inputSize)
                }
            }
        }
    }
}
