import DualTorch

/// softmax(s q kᵀ) v over the keys that each query may see, with grouped heads.
///
/// The kernel of this package does whole sequences; LibTorch's does new tokens behind cached ones, and
/// other devices; neither drops weights, which plain operators do. Query heads of one group then share
/// their keys by a view where all queries see the same of them, else by a copy.
/// - Parameters:
///   - query: (B, H, T, D); `key`, `value`: (B, G, S, D) with H a multiple of G.
///   - scale: s; nil for 1 / √D.
/// - Returns: (B, H, T, D); padding's output is nothing to rely on.
package func attendCausally(
    _ query: Tensor, _ key: Tensor, _ value: Tensor, visible: VisibleKeys, scale: Double? = nil,
    dropout: Double = 0, mode: ForwardMode = .inference
) throws -> Tensor {
    let drops = mode.isTraining && dropout > 0
    if !drops, let sequences = visible.sequences, key.size(2) == query.size(2),
        let mixed = try sequenceAttention(query, key, value, visible: sequences, scale: scale)
    {
        return mixed
    }
    return try attend(
        query, key, value, visible.form(), scale: scale, dropout: drops ? dropout : 0, mode)
}

/// Attention to the visible keys by operators of LibTorch.
func attend(
    _ query: Tensor, _ key: Tensor, _ value: Tensor, _ visible: VisibleKeys.Form,
    scale: Double? = nil, dropout: Double = 0, _ mode: ForwardMode = .inference
) throws -> Tensor {
    if case .packed(let segments) = visible {
        let outputs = try segments.map { segment in
            func tokens(_ x: Tensor) throws -> Tensor { try x.slice(segment.range, along: 2) }
            return try attend(
                tokens(query), tokens(key), tokens(value),
                segment.mask.map(VisibleKeys.Form.masked) ?? .causal, scale: scale,
                dropout: dropout, mode)
        }
        return try outputs.count == 1 ? outputs[0] : Tensor.joined(outputs, along: 2)
    }
    let (B, H, T, D) = (query.size(0), query.size(1), query.size(2), query.size(3))
    let G = key.size(1)
    if T == 1, G < H, !mode.isTraining {
        let folded = try query.reshaped(B, G, H / G, D)
        return try attendWhole(folded, key, value, visible, scale).reshaped(B, H, 1, D)
    }
    let (keys, values) = (try key.repeatedHeads(H / G), try value.repeatedHeads(H / G))
    guard dropout > 0 else { return try attendWhole(query, keys, values, visible, scale) }
    let scores = try (query * (scale ?? 1 / Double(D).squareRoot())).matmul(keys.transposed())
    let hidden = try visible.mask(queries: T, keys: key.size(2), device: query.device)
    let masked = try hidden.map { try scores.filled(with: -.infinity, where: $0) } ?? scores
    return try mode.dropping(masked.softmax(along: -1), probability: dropout).matmul(values)
}

private func attendWhole(
    _ query: Tensor, _ key: Tensor, _ value: Tensor, _ visible: VisibleKeys.Form, _ scale: Double?
) throws -> Tensor {
    switch visible {
    case .masked(let mask):
        return try scaledDotProductAttention(query, key, value, mask: mask, scale: scale)
    case .causal:
        return try scaledDotProductAttention(query, key, value, isCausal: true, scale: scale)
    case .all, .packed:
        return try scaledDotProductAttention(query, key, value, scale: scale)
    }
}

extension VisibleKeys.Form {
    /// (T, S), or to be broadcast to (B, H, T, S): true where a key is hidden; nil for nowhere.
    fileprivate func mask(queries T: Int, keys S: Int, device: Device) throws -> Tensor? {
        switch self {
        case .all, .packed: nil
        case .masked(let seen): try seen.logicalNot()
        case .causal: try Tensor.ones([T, S], dtype: .bool, device: device).aboveDiagonal()
        }
    }
}

extension Tensor {
    /// (B, G, S, D) to (B, G · count, S, D), each head so many times in a row.
    fileprivate func repeatedHeads(_ count: Int) throws -> Tensor {
        if count == 1 { return self }
        let (B, G, S, D) = (size(0), size(1), size(2), size(3))
        return try expandedDimension(at: 2).expanded([B, G, count, S, D])
            .reshaped(B, G * count, S, D)
    }
}
