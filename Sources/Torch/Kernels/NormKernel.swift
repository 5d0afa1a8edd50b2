/// The RMS norm and the layer norm over the last dimension of x, to which a residual is added first, in one
/// pass each way (CTorch's `norms.cpp`). Values in any layout. A norm with a bias is the layer norm.
enum NormKernel: String, FusedKernel {
    case rmsNorm = "duallora::rms_norm"
    case rmsNormBackward = "duallora::rms_norm_backward"
    case layerNorm = "duallora::layer_norm"
    case layerNormBackward = "duallora::layer_norm_backward"

    static let support = KernelSupport(.cpu)

    /// - Parameters:
    ///   - x: (..., size), as the residual is; `weight`, `bias`: (size).
    ///   - keepingStatistics: whether the backward's numbers are wanted.
    /// - Returns: the norm; the sum, where there is a residual; a float32 number a row (two of a layer
    ///   norm), where they are kept.
    static func forward(
        _ x: Tensor, residual: Tensor?, weight: Tensor, bias: Tensor?, epsilon: Double,
        keepingStatistics: Bool
    ) throws -> (normed: Tensor, sum: Tensor?, statistics: Tensor?) {
        let operation: Self = bias == nil ? .rmsNorm : .layerNorm
        let weights = [weight, bias].compactMap { $0.map(OperatorValue.tensor) }
        let results = try operation(
            [.tensor(x), .optional(residual)] + weights
                + [.double(epsilon), .bool(keepingStatistics)])
        guard let normed = results[0] else { throw Tensor.missingResult(of: operation.rawValue) }
        return (normed, results[1], results[2])
    }

    /// - Parameters:
    ///   - gradient: at the norm.
    ///   - sumGradient: what reaches the sum by other ways.
    ///   - needed: whether the sum, the weight and, of a layer norm, the bias need theirs.
    /// - Returns: the gradients at the sum, the weight and, of a layer norm, the bias.
    static func gradients(
        from gradient: Tensor, sumGradient: Tensor?, sum: Tensor, weight: Tensor,
        statistics: Tensor, hasBias: Bool, needed: [Bool]
    ) throws -> [Tensor?] {
        let operation: Self = hasBias ? .layerNormBackward : .rmsNormBackward
        return try operation(
            [
                .tensor(gradient), .optional(sumGradient), .tensor(sum), .tensor(weight),
                .tensor(statistics),
            ] + needed.map(OperatorValue.bool))
    }
}
