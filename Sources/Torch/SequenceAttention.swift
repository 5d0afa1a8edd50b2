/// softmax(s q kᵀ) v of whole sequences, without their scores in memory, forward or backward.
///
/// One kernel of this package (CTorch's `attention.cpp`), which skips what no query sees: other
/// sequences, later tokens, padding. Tokens of no sequence get zeros.
/// - Parameters:
///   - query: (B, H, T, D); `key`, `value`: (B, G, T, D) with H a multiple of G.
///   - scale: s; nil for 1 / √D.
/// - Returns: (B, H, T, D), over memory in the order (B, T, H, D); nil where the kernel does not apply:
///   off the CPU, and for other types than float32 and bfloat16.
package func sequenceAttention(
    _ query: Tensor, _ key: Tensor, _ value: Tensor, visible: SequenceVisibility,
    scale: Double? = nil
) throws -> Tensor? {
    guard AttentionKernel.takes(query) else { return nil }
    let scale = scale ?? 1 / Double(query.size(-1)).squareRoot()
    let (q, k, v) = (try query.detached(), try key.detached(), try value.detached())
    let kept = try withoutGradient {
        try AttentionKernel.forward(q, k, v, visible: visible, scale: scale)
    }
    return try customFunction("attention", of: [query, key, value]) {
        [kept.output]
    } backward: { gradients, _ in
        guard let gradient = gradients[0] else { return [nil, nil, nil] }
        return try AttentionKernel.gradients(
            from: gradient, q, k, v, kept, visible: visible, scale: scale)
    }[0]
}
