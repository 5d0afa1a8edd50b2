import DualTorch

/// The cosines and sines of one batch's positions, for all layers.
package struct RotaryTable {
    /// (..., 1, T, D)
    let cosine: Tensor
    /// (..., 1, T, D), the sine of the first half negated.
    let signedSine: Tensor

    /// Heads x (B, T, H, D), turned: each feature of the first half with its like in the second.
    /// - Returns: (B, H, T, D)
    package func callAsFunction(_ x: Tensor) throws -> Tensor {
        try x.turnedHeads(cosine: cosine, signedSine: signedSine)
    }
}
