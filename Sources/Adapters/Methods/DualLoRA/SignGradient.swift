import DualTorch

/// How the gradient passes Sign in Dual LoRA, and what Sign's value is multiplied by; the names are
/// those of `sign_grad`. Xu et al., eq. 7, 8 and 12-14, table 3.
public enum SignGradient: String, CaseIterable, Sendable {
    /// clip(∂L/∂Sign, ±1): eq. 7, which clips after the scale and the magnitude.
    case clip = "ste_clip"
    /// clip(∂L/∂ΔW, ±1) times scale and magnitude: eq. 12 as it is printed.
    case clipUpdate = "ste_clip_dw"
    /// ∂L/∂Sign as it is.
    case identity = "ste_identity"
    /// ∂L/∂Sign where |Z| ≤ 1, else 0: usual for binary networks, and not in the paper.
    case hardTanh = "ste_hardtanh"
    /// Sign(Z) times the mean |Z| of the row; the gradient as it is. Eq. 13, Rastegari et al. 2016.
    case xnor
    /// Sign(Z) times the mean |Z| of the matrix; the gradient as it is. Eq. 14, Zhou et al. 2016.
    case doReFa = "dorefa"

    /// What the gradient is held within, by rules that only clip.
    var bound: Double? {
        switch self {
        case .clip, .clipUpdate: 1
        case .identity: .infinity
        case .hardTanh, .xnor, .doReFa: nil
        }
    }

    /// T of whole rows of Z.
    /// - Parameter mean: of |Z| over the whole matrix, which DoReFa's rule alone reads.
    func value(_ z: Tensor, mean: Double) throws -> Tensor {
        let sign = try binarySign(z)
        switch self {
        case .clip, .clipUpdate, .identity, .hardTanh: return sign
        case .xnor: return try sign * z.magnitude().mean(along: 1, keepingDimension: true)
        case .doReFa: return try sign * mean
        }
    }

    /// P, the gradient at Z.
    /// - Parameters:
    ///   - gradient: G = ∂L/∂ΔW.
    ///   - magnitude: F(M).
    ///   - scale: ω s.
    func gradient(at z: Tensor, from gradient: Tensor, magnitude: Tensor, scale: Double) throws
        -> Tensor
    {
        if self == .clipUpdate {
            return try scale * gradient.clamped(from: -1, to: 1) * magnitude
        }
        return try passed(scale * gradient * magnitude, at: z)
    }

    /// What of the gradient ∂L/∂Sign reaches Z.
    fileprivate func passed(_ atSign: Tensor, at z: Tensor) throws -> Tensor {
        switch self {
        case .clip, .clipUpdate: try atSign.clamped(from: -1, to: 1)
        case .hardTanh: try atSign.filled(with: 0, where: z.magnitude() > 1)
        case .identity, .xnor, .doReFa: atSign
        }
    }
}

/// Sign(z): +1 where z is positive, -1 elsewhere, also at 0. Dual LoRA, eq. 6.
func binarySign(_ z: Tensor) throws -> Tensor {
    let one = try Tensor.scalar(1, dtype: z.dtype).to(device: z.device)
    return try one.selected(where: z > 0, otherwise: -one)
}

/// Sign(z), or what a rule makes of it, with a gradient that goes straight through, as eq. 7, 8, 13
/// and 14 define it. For every rule but eq. 12's, which clips elsewhere.
func straightThroughSign(_ z: Tensor, _ rule: SignGradient = .clip) throws -> Tensor {
    let values = try z.detached()
    return try customFunction("straightThroughSign", of: [z]) {
        [try rule.value(values, mean: rule == .doReFa ? values.magnitude().mean().item() : 1)]
    } backward: { gradients, _ in
        [try gradients[0].map { try rule.passed($0, at: values) }]
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
