// Norms over the last dimension that first add a residual, in one pass each way. The plain expressions
// are those of Tensor+Neural.swift; they are used for what the kernels do not take.

extension Tensor {
    /// The sum of `self` and a residual, and its RMS norm: sum / √(mean(sum²) + ε) · weight.
    ///
    /// - Parameters:
    ///   - residual: of the shape of `self`; nil for none, and then the sum is `self`.
    ///   - weight: (size), of the type of `self`.
    public func rmsNorm(
        adding residual: Tensor?, weight: Tensor, epsilon: Double
    ) throws -> (sum: Tensor, normed: Tensor) {
        guard kernelsTake([self, residual, weight]) else {
            let sum = try residual.map { try self + $0 } ?? self
            return (sum, try sum.rmsNorm(weight: weight, epsilon: epsilon))
        }
        return try FusedNorm(
            name: "rms_norm", x: self, residual: residual, parameters: [weight], epsilon: epsilon
        ).callAsFunction()
    }

    /// The sum of `self` and a residual, and its layer norm:
    /// (sum - mean) / √(variance + ε) · weight + bias.
    ///
    /// - Parameters:
    ///   - residual: of the shape of `self`; nil for none, and then the sum is `self`.
    ///   - weight: (size), of the type of `self`, as `bias` is.
    public func layerNorm(
        adding residual: Tensor?, weight: Tensor, bias: Tensor, epsilon: Double
    ) throws -> (sum: Tensor, normed: Tensor) {
        guard kernelsTake([self, residual, weight, bias]) else {
            let sum = try residual.map { try self + $0 } ?? self
            return (sum, try sum.layerNorm(weight: weight, bias: bias, epsilon: epsilon))
        }
        return try FusedNorm(
            name: "layer_norm", x: self, residual: residual, parameters: [weight, bias],
            epsilon: epsilon
        ).callAsFunction()
    }
}

/// One call of a norm's operators. Kept for the backward are the sum, which is a part of the model's
/// stream anyway, and one or two float32 numbers a row.
private struct FusedNorm {
    let name: String
    let x: Tensor
    let residual: Tensor?
    /// Weight and, of a layer norm, bias.
    let parameters: [Tensor]
    let epsilon: Double

    func callAsFunction() throws -> (sum: Tensor, normed: Tensor) {
        let inputs = [x] + (residual.map { [$0] } ?? []) + parameters
        guard recordsGradients(inputs) else {
            let (normed, sum, _) = try forward(keepingStatistics: false)
            return (sum ?? x, normed)
        }
        var kept: (sum: Tensor, statistics: Tensor)?
        let outputs = try kernelFunction(name, of: inputs) {
            let (normed, sum, statistics) = try forward(keepingStatistics: true)
            kept = (sum ?? x, try required(statistics))
            return [normed] + (sum.map { [$0] } ?? [])
        } backward: { gradients, needed in
            guard let (sum, statistics) = kept else { throw Tensor.missingResult(of: name) }
            return try backward(gradients, needed, sum, statistics)
        }
        return (residual == nil ? x : outputs[1], outputs[0])
    }

    private func forward(
        keepingStatistics: Bool
    ) throws -> (normed: Tensor, sum: Tensor?, statistics: Tensor?) {
        let results = try callOperator(
            "duallora::\(name)",
            [.tensor(x), .optional(residual)] + parameters.map(OperatorValue.tensor)
                + [.double(epsilon), .bool(keepingStatistics)]
        ).map(\.tensor)
        return (try required(results[0]), results[1], results[2])
    }

    /// The sum's gradient is that of both its parts.
    private func backward(
        _ gradients: [Tensor?], _ needed: [Bool], _ sum: Tensor, _ statistics: Tensor
    ) throws -> [Tensor?] {
        let parts = residual == nil ? 1 : 2
        let sumGradient = parts == 2 ? gradients[1] : nil
        let none = [Tensor?](repeating: nil, count: parameters.count)
        guard let gradient = gradients[0] else {
            return [Tensor?](repeating: sumGradient, count: parts) + none
        }
        let found = try callOperator(
            "duallora::\(name)_backward",
            [
                .tensor(gradient), .optional(sumGradient), .tensor(sum), .tensor(parameters[0]),
                .tensor(statistics), .bool(needed[..<parts].contains(true)),
            ] + needed[parts...].map(OperatorValue.bool)
        ).map(\.tensor)
        return [Tensor?](repeating: found[0], count: parts) + found[1...]
    }

    private func required(_ tensor: Tensor?) throws -> Tensor {
        guard let tensor else { throw Tensor.missingResult(of: name) }
        return tensor
    }
}
