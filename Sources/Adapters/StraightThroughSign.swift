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
