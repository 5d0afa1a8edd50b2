import DualTorch

/// softmax(q kᵀ / √D + mask) v with dropout on the weights in training.
///
/// The fused kernel does not drop, so dropout takes the plain expression, as in the reference.
/// - Parameters: `query`, `key`, `value`: (B, H, T, D); `mask`: true where a key may be seen,
///   broadcast to (B, H, T, T), or nil for everywhere.
package func attend(
    _ query: Tensor, _ key: Tensor, _ value: Tensor, mask: Tensor?, dropout: Double,
    mode: ForwardMode
) throws -> Tensor {
    guard mode.isTraining, dropout > 0 else {
        return try scaledDotProductAttention(query, key, value, mask: mask)
    }
    let scale = 1 / Double(query.size(-1)).squareRoot()
    var scores = try (scale * query).matmul(key.transposed())  // (B, H, T, T)
    if let mask { scores = try scores.filled(with: -.infinity, where: mask.logicalNot()) }
    let weights = try mode.dropping(scores.softmax(along: -1), probability: dropout)
    return try weights.matmul(value)  // (B, H, T, D)
}
