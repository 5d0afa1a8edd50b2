/// Which tokens of a batch see one another.
public struct SequenceVisibility {
    /// Rows of the batch, and tokens of them, that each sequence takes.
    public let sequences: [(row: Int, tokens: Range<Int>)]
    /// Whether a token sees those up to itself alone.
    public let isCausal: Bool
    /// How many tokens, its own counted, a token sees; nil for all. Only where attention is causal.
    public let window: Int?

    public init(
        sequences: [(row: Int, tokens: Range<Int>)], isCausal: Bool, window: Int? = nil
    ) {
        self.sequences = sequences
        self.isCausal = isCausal
        self.window = window
    }

    fileprivate var arguments: [OperatorValue] {
        [
            .ints(sequences.flatMap { [$0.row, $0.tokens.lowerBound, $0.tokens.count] }),
            .bool(isCausal), .int(window ?? 0),
        ]
    }
}

/// softmax(s q kᵀ) v of whole sequences, without their scores in memory, forward or backward.
///
/// One kernel of this package (CTorch's `attention.cpp`), which skips what no query sees: other
/// sequences, later tokens, padding. Tokens of no sequence get zeros.
/// - Parameters:
///   - query: (B, H, T, D); `key`, `value`: (B, G, T, D) with H a multiple of G.
///   - scale: s; nil for 1 / √D.
/// - Returns: (B, H, T, D), over memory in the order (B, T, H, D); nil where the kernel does not apply:
///   off the CPU, and for other types than float32 and bfloat16.
public func sequenceAttention(
    _ query: Tensor, _ key: Tensor, _ value: Tensor, visible: SequenceVisibility,
    scale: Double? = nil
) throws -> Tensor? {
    guard query.device.kind == .cpu, [.float32, .bfloat16].contains(query.dtype) else { return nil }
    let rule = visible.arguments + [.double(scale ?? 1 / Double(query.size(-1)).squareRoot())]
    let inputs = try [query, key, value].map { try $0.detached().withContiguousRows() }
    let results = try withoutGradient {
        try callOperator("duallora::attention", inputs.map(OperatorValue.tensor) + rule)
    }
    guard results.count == 2, case .tensor(let out) = results[0] else {
        throw Tensor.missingResult(of: "duallora::attention")
    }
    return try customFunction("attention", of: [query, key, value]) {
        [out]
    } backward: { gradients, _ in
        guard let gradient = gradients[0] else { return [nil, nil, nil] }
        let given = try [gradient.withContiguousRows()] + inputs
        return try callOperator(
            "duallora::attention_backward", given.map(OperatorValue.tensor) + results + rule
        ).map { if case .tensor(let gradient) = $0 { gradient } else { nil } }
    }[0]
}

extension Tensor {
    /// Itself, or a copy, with neighbours in the last dimension side by side.
    fileprivate func withContiguousRows() throws -> Tensor {
        size(-1) < 2 || strides.last == 1 ? self : try contiguous()
    }
}
