import DualTorch

/// Sign(z): +1 where z is positive, -1 elsewhere, also at 0. Dual LoRA, eq. 6.
func binarySign(_ z: Tensor) throws -> Tensor {
    let one = try Tensor.scalar(1, dtype: z.dtype).to(device: z.device)
    return try one.selected(where: z > 0, otherwise: -one)
}

/// Sign(z), differentiated as if it were the identity, with the gradient held within ±1: the
/// straight-through estimator of eq. 7 and 8.
func straightThroughSign(_ z: Tensor) throws -> Tensor {
    try customFunction("straightThroughSign", of: [z]) {
        [try binarySign(z)]
    } backward: { gradients, _ in
        [try gradients[0]?.clamped(from: -1, to: 1)]
    }[0]
}

/// s M ⊙ Sign(z), with eq. 12's gradient as it is printed: exact at the magnitude M, and at z
/// s clip(∂L/∂ΔW, ±1) ⊙ M.
func updateWithClippedGradient(
    _ magnitude: Tensor, _ z: Tensor, scale: Double
) throws -> Tensor {
    let sign = try withoutGradient { try binarySign(z.detached()) }
    let size = try magnitude.detached()
    return try customFunction("updateWithClippedGradient", of: [magnitude, z]) {
        [try scale * (size * sign)]
    } backward: { gradients, _ in
        guard let gradient = gradients[0] else { return [nil, nil] }
        return [
            try scale * (gradient * sign), try scale * gradient.clamped(from: -1, to: 1) * size,
        ]
    }[0]
}
