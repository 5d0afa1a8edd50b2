/// softmax(s q kᵀ) v of whole sequences, without their scores in memory (CTorch's `attention.cpp`; Dao et
/// al. 2022, arXiv:2205.14135).
enum AttentionKernel: String, FusedKernel {
    case attention = "duallora::attention"
    case attentionBackward = "duallora::attention_backward"

    static let support = KernelSupport(.cpu)

    /// - Parameters:
    ///   - query: (B, H, T, D); `key`, `value`: (B, G, T, D) with H a multiple of G.
    /// - Returns: (B, H, T, D), and log Σ e^(s q kᵀ) (B, H, T) in float32, which the backward needs.
    static func forward(
        _ query: Tensor, _ key: Tensor, _ value: Tensor, visible: SequenceVisibility, scale: Double
    ) throws -> (output: Tensor, logSums: Tensor) {
        let heads = try [query, key, value].map {
            OperatorValue.tensor(try $0.withContiguousRows())
        }
        return try attention.pair(heads + visible.arguments + [.double(scale)])
    }

    /// The gradients at query, key and value.
    static func gradients(
        from gradient: Tensor, _ query: Tensor, _ key: Tensor, _ value: Tensor,
        _ kept: (output: Tensor, logSums: Tensor), visible: SequenceVisibility, scale: Double
    ) throws -> [Tensor?] {
        let heads = try [gradient, query, key, value, kept.output].map {
            OperatorValue.tensor(try $0.withContiguousRows())
        }
        return try attentionBackward(
            heads + [.tensor(kept.logSums)] + visible.arguments + [.double(scale)])
    }
}

extension SequenceVisibility {
    fileprivate var arguments: [OperatorValue] {
        [
            .ints(sequences.flatMap { [$0.row, $0.tokens.lowerBound, $0.tokens.count] }),
            .bool(isCausal), .int(window ?? 0),
        ]
    }
}
