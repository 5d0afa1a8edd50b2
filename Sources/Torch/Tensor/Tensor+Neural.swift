// The operations of transformers. Letters in shapes: B batch, T tokens, H heads, D head size.

extension Tensor {
    /// The matrix product, batched over leading dimensions (`torch.matmul`).
    public func matmul(_ other: Tensor) throws -> Tensor {
        try call("aten::matmul", [.tensor(self), .tensor(other)])
    }

    /// Puts the product of two matrices in the place of this one (`torch.mm`).
    @discardableResult
    public func setProduct(_ left: Tensor, _ right: Tensor) throws -> Tensor {
        try call("aten::mm.out", [.tensor(left), .tensor(right)], ["out": .tensor(self)])
    }

    /// The sum with a product of two matrices, rounded once; differentiable (`torch.addmm`).
    public func addingProduct(of left: Tensor, _ right: Tensor) throws -> Tensor {
        try call("aten::addmm", [.tensor(self), .tensor(left), .tensor(right)])
    }

    /// Puts the sum of a matrix and a product of two in the place of this one (`torch.addmm`).
    @discardableResult
    public func setSum(
        of matrix: Tensor, andProduct left: Tensor, _ right: Tensor
    ) throws -> Tensor {
        try call(
            "aten::addmm.out", [.tensor(matrix), .tensor(left), .tensor(right)],
            ["out": .tensor(self)])
    }

    /// Adds the product of two matrices to this one, in place (`Tensor.addmm_`).
    @discardableResult
    public func add(productOf left: Tensor, _ right: Tensor) throws -> Tensor {
        try call("aten::addmm_", [.tensor(self), .tensor(left), .tensor(right)])
    }

    /// x Wᵀ + b: (..., in) with a weight (out, in) and a bias (out) gives (..., out)
    /// (`torch.nn.functional.linear`).
    public func linear(_ weight: Tensor, bias: Tensor? = nil) throws -> Tensor {
        try call("aten::linear", [.tensor(self), .tensor(weight), .optional(bias)])
    }

    /// Rows of `self` (vocabulary, size) for indices of any shape (...): (..., size)
    /// (`torch.nn.functional.embedding`).
    /// - Parameter frozenRow: gets no gradient (`padding_idx`); nil for none.
    public func embedding(_ indices: Tensor, frozenRow: Int? = nil) throws -> Tensor {
        try call(
            "aten::embedding", [.tensor(self), .tensor(indices), .int(frozenRow ?? -1)])
    }

    /// (x - mean) / √(variance + ε) over the last dimension, scaled and shifted
    /// (`torch.nn.functional.layer_norm`).
    public func layerNorm(weight: Tensor?, bias: Tensor?, epsilon: Double) throws -> Tensor {
        try call(
            "aten::layer_norm",
            [
                .tensor(self), .ints([size(-1)]), .optional(weight), .optional(bias),
                .double(epsilon), true,
            ])
    }

    /// x / √(mean(x²) + ε) over the last dimension, scaled (`torch.nn.functional.rms_norm`).
    public func rmsNorm(weight: Tensor, epsilon: Double) throws -> Tensor {
        try call(
            "aten::rms_norm",
            [.tensor(self), .ints([size(-1)]), .tensor(weight), .double(epsilon)])
    }

    /// max(x, 0) (`torch.relu`).
    public func relu() throws -> Tensor { try call("aten::relu", [.tensor(self)]) }
    /// tanh x (`torch.tanh`).
    public func tanh() throws -> Tensor { try call("aten::tanh", [.tensor(self)]) }
    /// x σ(x) (`torch.nn.functional.silu`).
    public func silu() throws -> Tensor { try call("aten::silu", [.tensor(self)]) }
    /// σ(x) = 1 / (1 + e⁻ˣ) (`torch.sigmoid`).
    public func sigmoid() throws -> Tensor { try call("aten::sigmoid", [.tensor(self)]) }

    /// x Φ(x), or its approximation by tanh, which some checkpoints call "gelu_new"
    /// (`torch.nn.functional.gelu`).
    public func gelu(approximatingByTanh: Bool = false) throws -> Tensor {
        try call(
            "aten::gelu", [.tensor(self)],
            ["approximate": .string(approximatingByTanh ? "tanh" : "none")])
    }

    /// eˣ / Σ eˣ along a dimension (`torch.softmax`).
    public func softmax(along dimension: Int) throws -> Tensor {
        try call("aten::softmax.int", [.tensor(self), .int(dimension), .none])
    }

    /// log (eˣ / Σ eˣ) along a dimension (`torch.log_softmax`).
    public func logSoftmax(along dimension: Int) throws -> Tensor {
        try call("aten::log_softmax.int", [.tensor(self), .int(dimension), .none])
    }

    /// Drops elements with `probability` and scales the others by 1 / (1 - probability)
    /// (`torch.nn.functional.dropout`).
    public func dropout(probability: Double, using generator: Generator) throws -> Tensor {
        if probability <= 0 { return self }
        let mask = try Tensor.bernoulli(
            like: self, probability: 1 - probability, using: generator)
        return try self * mask.multiply(by: 1 / (1 - probability))
    }

    /// Mean over rows of -log softmax(self)[label]: logits (N, classes), labels (N) of int64
    /// (`torch.nn.functional.cross_entropy`).
    /// - Parameter labelSmoothing: the share ε of a target that all classes have alike; a row's loss is
    ///   then (1 - ε) of its own and ε of the mean over all labels.
    public func crossEntropy(_ labels: Tensor, labelSmoothing: Double = 0) throws -> Tensor {
        try call(
            "aten::cross_entropy_loss", [.tensor(self), .tensor(labels)],
            ["label_smoothing": .double(labelSmoothing)])
    }

    /// Mean of (self - other)² (`torch.nn.functional.mse_loss`).
    public func meanSquaredError(_ other: Tensor) throws -> Tensor {
        try call("aten::mse_loss", [.tensor(self), .tensor(other)])
    }
}

/// softmax(s q kᵀ + mask) v, without the T x S matrix where LibTorch has a fused kernel
/// (`torch.nn.functional.scaled_dot_product_attention`).
///
/// - Parameters:
///   - query: (B, H, T, D); `key` and `value`: (B, H, S, D).
///   - mask: (B, H, T, S) or broadcast to it: of bool, true where a key is seen, or of the query's
///     dtype, added to the scores; nil for everywhere.
///   - isCausal: lets query i see keys 0...i; excludes a mask.
///   - scale: s; nil for 1 / √D.
public func scaledDotProductAttention(
    _ query: Tensor, _ key: Tensor, _ value: Tensor, mask: Tensor? = nil, isCausal: Bool = false,
    scale: Double? = nil
) throws -> Tensor {
    try call(
        "aten::scaled_dot_product_attention",
        [.tensor(query), .tensor(key), .tensor(value), .optional(mask), 0.0, .bool(isCausal)],
        ["scale": scale.map(OperatorValue.double) ?? .none])
}
