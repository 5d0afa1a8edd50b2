// Norms over the last dimension that first add a residual, in one pass each way. The plain expressions
// are those of Tensor+Neural.swift; they are used for what the kernels do not take.

extension Tensor {
    /// The sum of `self` and a residual, and its RMS norm: sum / √(mean(sum²) + ε) · weight.
    ///
    /// - Parameters:
    ///   - residual: of the shape of `self`; nil for none, and then the sum is `self`.
    ///   - weight: (size), of the type of `self`.
    package func rmsNorm(
        adding residual: Tensor?, weight: Tensor, epsilon: Double
    ) throws -> (sum: Tensor, normed: Tensor) {
        try Norm(x: self, residual: residual, weight: weight, bias: nil, epsilon: epsilon)()
    }

    /// The sum of `self` and a residual, and its layer norm:
    /// (sum - mean) / √(variance + ε) · weight + bias.
    ///
    /// - Parameters:
    ///   - residual: of the shape of `self`; nil for none, and then the sum is `self`.
    ///   - weight: (size), of the type of `self`, as `bias` is.
    package func layerNorm(
        adding residual: Tensor?, weight: Tensor, bias: Tensor, epsilon: Double
    ) throws -> (sum: Tensor, normed: Tensor) {
        try Norm(x: self, residual: residual, weight: weight, bias: bias, epsilon: epsilon)()
    }
}

/// A layer norm where there is a bias, else an RMS norm. Kept for the kernel's backward are the sum, which is a part of the model's stream anyway, and one or two float32
/// numbers a row.
private struct Norm {
    let x: Tensor
    let residual: Tensor?
    let weight: Tensor
    let bias: Tensor?
    let epsilon: Double

    func callAsFunction() throws -> (sum: Tensor, normed: Tensor) {
        guard NormKernel.takes(x, residual, weight, bias) else {
            let sum = try residual.map { try x + $0 } ?? x
            let normed = try bias.map {
                try sum.layerNorm(weight: weight, bias: $0, epsilon: epsilon)
            }
            return (sum, try normed ?? sum.rmsNorm(weight: weight, epsilon: epsilon))
        }
        guard recordsGradients(x, residual, weight, bias) else {
            let (normed, sum, _) = try forward(keepingStatistics: false)
            return (sum ?? x, normed)
        }
        let inputs = [x, residual, weight, bias].compactMap { $0 }
        var kept: (sum: Tensor, statistics: Tensor)?
        let outputs = try kernelFunction(bias == nil ? "rms norm" : "layer norm", of: inputs) {
            let (normed, sum, statistics) = try forward(keepingStatistics: true)
            kept = statistics.map { (sum ?? x, $0) }
            return [normed] + (sum.map { [$0] } ?? [])
        } backward: { gradients, needed in
            guard let (sum, statistics) = kept else { throw Tensor.missingResult(of: "norm") }
            return try backward(gradients, needed, sum, statistics)
        }
        return (residual == nil ? x : outputs[1], outputs[0])
    }

    private func forward(
        keepingStatistics: Bool
    ) throws -> (normed: Tensor, sum: Tensor?, statistics: Tensor?) {
        try NormKernel.forward(
            x, residual: residual, weight: weight, bias: bias, epsilon: epsilon,
            keepingStatistics: keepingStatistics)
    }

    /// The sum's gradient is that of both its parts.
    private func backward(
        _ gradients: [Tensor?], _ needed: [Bool], _ sum: Tensor, _ statistics: Tensor
    ) throws -> [Tensor?] {
        let addendCount = residual == nil ? 1 : 2
        let sumGradient = addendCount == 2 ? gradients[1] : nil
        guard let gradient = gradients[0] else {
            return (0..<needed.count).map { $0 < addendCount ? sumGradient : nil }
        }
        let results = try NormKernel.gradients(
            from: gradient, sumGradient: sumGradient, sum: sum, weight: weight,
            statistics: statistics, hasBias: bias != nil,
            needed: [needed[..<addendCount].contains(true)] + needed[addendCount...])
        return [Tensor?](repeating: results[0], count: addendCount) + results[1...]
    }
}
