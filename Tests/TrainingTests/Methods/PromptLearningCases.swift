import DualAdapters
import DualModules

extension MethodCase {
    /// None starts at the base, not even a prefix of zeros: they take their share of the attention.
    static let promptLearning = [
        prefix([:]),
        prefix(["init": "zero"]),
        MethodCase(
            method: "prefix",
            options: [
                "virtual-tokens": "3", "prefix-projection": "true", "encoder-hidden-size": "5",
            ], startTolerance: nil
        ) { slots, _ in
            let (size, layers) = slots.keySizes
            return 3 * size + (size + 1) * 5 + (5 + 1) * 2 * layers * size
        },
        prompt([:]),
        prompt(["init": "sample_vocab"]),
        MethodCase(
            method: "p-tuning", options: ["virtual-tokens": "3", "encoder-hidden-size": "5"],
            startTolerance: nil
        ) { slots, _ in
            let size = slots.hiddenSize
            return 3 * size + (size + 1) * 5 + (5 + 1) * 5 + (5 + 1) * size
        },
        MethodCase(
            method: "p-tuning",
            options: [
                "virtual-tokens": "3", "encoder-reparameterization-type": "LSTM",
                "encoder-hidden-size": "5", "encoder-num-layers": "1",
            ], startTolerance: nil
        ) { slots, _ in
            let size = slots.hiddenSize
            let recurrence = 2 * (4 * 5 * (size + 5) + 2 * 4 * 5)
            return 3 * size + recurrence + (10 + 1) * 10 + (10 + 1) * size
        },
    ]

    private static func prefix(_ more: [String: String]) -> MethodCase {
        MethodCase(
            method: "prefix",
            options: MethodOptions(more.merging(["virtual-tokens": "3"]) { mine, _ in mine }),
            startTolerance: nil
        ) { slots, _ in
            let (size, layers) = slots.keySizes
            return 3 * 2 * layers * size
        }
    }

    private static func prompt(_ more: [String: String]) -> MethodCase {
        MethodCase(
            method: "prompt",
            options: MethodOptions(more.merging(["virtual-tokens": "3"]) { mine, _ in mine }),
            startTolerance: nil
        ) { slots, _ in 3 * slots.hiddenSize }
    }
}

extension AdapterSlots {
    /// Of a token's keys in one layer, and the layers.
    fileprivate var keySizes: (size: Int, layers: Int) {
        prefix.map { ($0.heads * $0.headSize, $0.layers) } ?? (0, 0)
    }

    fileprivate var hiddenSize: Int { prompt?.hiddenSize ?? 0 }
}
