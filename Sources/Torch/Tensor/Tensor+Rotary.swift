extension Tensor {
    /// Heads turned by the angles of their positions: x cosine + (x's halves exchanged) sine.
    ///
    /// One pass each way; nothing but the tables is kept for the backward.
    /// - Parameters:
    ///   - self: (B, T, H, D) with D even, such as a projection's output in the shape of heads.
    ///   - cosine: (..., 1, T, D), for all rows or for each; the halves of D are equal.
    ///   - signedSine: of the same shape; the first half is the negative of the second.
    /// - Returns: (B, H, T, D), a view of (B, T, H, D).
    package func turnedHeads(cosine: Tensor, signedSine: Tensor) throws -> Tensor {
        guard RotaryKernel.takes(self, cosine, signedSine), !recordsGradients(cosine, signedSine)
        else {
            return try plainlyTurnedHeads(cosine: cosine, signedSine: signedSine)
        }
        func turned(_ x: Tensor, backward: Bool) throws -> Tensor {
            try RotaryKernel.turn(x, cosine: cosine, signedSine: signedSine, backward: backward)
        }
        guard recordsGradients(self) else {
            return try turned(self, backward: false).transposed(1, 2)
        }
        return try kernelFunction("rotary", of: [self]) {
            [try turned(self, backward: false)]
        } backward: { gradients, _ in
            [try gradients[0].map { try turned($0, backward: true) }]
        }[0].transposed(1, 2)
    }

    /// ``turnedHeads(cosine:signedSine:)`` by LibTorch's operators, for what the kernel does not take.
    func plainlyTurnedHeads(cosine: Tensor, signedSine: Tensor) throws -> Tensor {
        let x = try transposed(1, 2)  // (B, H, T, D)
        return try x * cosine + x.rolled(by: size(-1) / 2, along: -1) * signedSine
    }
}
