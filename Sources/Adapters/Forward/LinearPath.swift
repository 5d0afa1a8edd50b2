import DualTorch

/// A thin path from the input of a layer to its output, made of factors of which some are frozen.
///
/// A method says what the path adds and where gradients go;
/// ``Tensor/linear(beside:weight:bias:outputSize:)`` does the rest, the same for all.
protocol LinearPath {
    /// What trains.
    var factors: [Tensor] { get }

    /// Adds what the path makes of x (T, k) to y (T, d), in place.
    /// - Returns: what the backward needs beside x.
    func add(of input: Tensor, to output: Tensor) throws -> [Tensor]

    /// - Parameters:
    ///   - gradient: ∂L/∂y (T, d).
    ///   - kept: what ``add(of:to:)`` returned.
    ///   - atInput: ∂L/∂x (T, k), to which the path's is added; nil where it is not needed.
    /// - Returns: the gradients at the factors, in their order.
    func gradients(
        of gradient: Tensor, input: Tensor, kept: [Tensor], addingTo atInput: Tensor?
    ) throws -> [Tensor]
}

extension Tensor {
    /// x W₀ᵀ + b and the path beside it, keeping x and what the path keeps.
    ///
    /// Two products with W₀, forward and backward, to whose results the path's are added where they
    /// lie.
    /// - Parameters:
    ///   - weight: W₀ (d, k), frozen; nil for the path alone.
    ///   - bias: b (d).
    /// - Returns: (..., d), in the type of x.
    func linear(
        beside path: some LinearPath, weight: StoredWeight?, bias: Tensor?, outputSize: Int
    ) throws -> Tensor {
        let bias = try bias?.to(dtype)
        // The graph holds this; a tensor that is in the graph itself would make a ring.
        let rows = try withoutGradient { try detached().reshaped(-1, size(-1)).contiguous() }
        let (output, kept) = try withoutGradient {
            let output =
                try weight.map { try detached().projected(by: $0, bias: bias) }
                ?? .zeros(shape.dropLast() + [outputSize], dtype: dtype, device: device)
            let whole = try output.contiguous()
            return (whole, try path.add(of: rows, to: whole.reshaped(-1, outputSize)))
        }
        let biases = bias.map { [$0] } ?? []
        return try customFunction("linearBesidePath", of: [self] + path.factors + biases) {
            [output]
        } backward: { gradients, needed in
            guard let gradient = gradients[0] else { return needed.map { _ in nil } }
            return try withoutGradient {
                let given = try gradient.detached().reshaped(-1, outputSize).contiguous()  // (T, d)
                let atRows =
                    needed[0]
                    ? try weight.map { try given.matmul($0) } ?? .zeros(like: rows) : nil
                let atFactors = try path.gradients(
                    of: given, input: rows, kept: kept, addingTo: atRows)
                let shape = gradient.shape.dropLast() + [rows.size(1)]
                let atInputAndFactors = [try atRows?.reshaped(Array(shape))] + atFactors
                // The bias comes last, if there is one.
                guard atInputAndFactors.count < needed.count else { return atInputAndFactors }
                return try atInputAndFactors + [needed.last == true ? given.sum(along: 0) : nil]
            }
        }[0]
    }
}
