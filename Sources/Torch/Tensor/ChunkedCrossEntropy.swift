/// The loss of a layer's outputs as logits, and its gradients, chunk by chunk of rows.
struct ChunkedCrossEntropy {
    /// At the hidden states, the weight and the bias, where they were asked for; of the mean loss, and
    /// in the inputs' types.
    private(set) var gradients: [Tensor?] = []
    /// Whether the kernel is used where it takes the logits, instead of ordinary operators, which do the
    /// same.
    var usesKernel = true
    private let hidden, labels: Tensor
    /// As it is stored, or where it trains as it is computed with.
    private let weight: StoredWeight
    private let bias: Tensor?
    private let labelSmoothing: Double
    private let rows: Int
    private let givenTypes: [DType]
    /// What losses are computed in, and the gradients of weight and bias summed up in over chunks.
    private let wide: DType

    init(
        hidden: Tensor, weight: StoredWeight, bias: Tensor?, labels: Tensor,
        labelSmoothing: Double = 0,
        rows: Int?
    ) throws {
        guard hidden.rank == 2, labels.shape == [hidden.size(0)] else {
            throw TorchError(
                operation: "crossEntropy",
                message: "hidden states \(hidden.shape) do not go with labels \(labels.shape)")
        }
        let dtype = hidden.dtype
        self.hidden = try hidden.detached()
        self.weight = try weight.operand(as: dtype).map { .plain(try $0.detached()) } ?? weight
        self.bias = try bias?.detached().to(dtype)
        self.labels = try labels.contiguous()
        self.labelSmoothing = labelSmoothing
        let limit =
            rows
            ?? rowsOfLogits(
                classes: weight.size(0), dtype: dtype, weightTrains: weight.requiresGradient)
        self.rows = max(1, min(limit, hidden.size(0)))
        givenTypes = [hidden.dtype, weight.numberType] + (bias.map { [$0.dtype] } ?? [])
        wide = dtype == .float64 ? .float64 : .float32
    }

    /// - Parameter needed: whether the gradients at the hidden states, the weight and the bias are
    ///   wanted.
    /// - Returns: the mean loss.
    mutating func run(gradients needed: [Bool]) throws -> Tensor {
        let count = hidden.size(0)
        let losses = try Tensor.empty([count], dtype: wide, device: hidden.device)
        let buffer = try Tensor.empty(
            [rows, weight.size(0)], dtype: hidden.dtype, device: hidden.device)
        gradients = needed.map { _ in nil }
        let scale = needed.contains(true) ? 1 / Double(count) : nil
        for start in stride(from: 0, to: count, by: rows) {
            let range = start..<min(start + rows, count)
            let x = try hidden.slice(range)
            let logits = try buffer.slice(0..<range.count)
            try project(x, into: logits)
            let chunkLosses = try rowLosses(logits, labels.slice(range), gradientScale: scale)
            try losses.slice(range).copy(from: chunkLosses)
            try addGradients(at: logits, x, range, needed)
        }
        gradients = try zip(gradients, givenTypes).map { try $0?.to($1) }
        return try losses.mean()
    }

    /// x Wᵀ + b
    private func project(_ x: Tensor, into logits: Tensor) throws {
        try weight.forEachBlock(as: x.dtype) { classes, block in
            let some = try logits.slice(classes, along: 1)
            let transposed = try block.transposed()
            if let bias {
                try some.setSum(of: bias.slice(classes), andProduct: x, transposed)
            } else {
                try some.setProduct(x, transposed)
            }
        }
    }

    /// -log softmax(logits)[label] of each row; with a scale, the logits become the gradient of the
    /// sum times it.
    private func rowLosses(
        _ logits: Tensor, _ labels: Tensor, gradientScale scale: Double?
    ) throws -> Tensor {
        if usesKernel, CrossEntropyKernel.takes(logits) {
            return try CrossEntropyKernel.losses(
                logits, labels, gradientScale: scale, labelSmoothing: labelSmoothing)
        }
        let indices = try labels.expandedDimension(at: 1)  // (rows, 1)
        let logarithms = try logits.to(wide).logSoftmax(along: 1)
        // The target: a share for every class alike, the rest for the label.
        let target = try Tensor.full(
            logits.shape, labelSmoothing / Double(logits.size(1)), dtype: wide,
            device: logits.device)
        let labelShare = try Tensor.full(
            indices.shape, 1 - labelSmoothing, dtype: wide, device: logits.device)
        _ = try callOperator(
            "aten::scatter_add_", [.tensor(target), 1, .tensor(indices), .tensor(labelShare)])
        if let scale {
            try logits.copy(from: (logarithms.exponential() - target).multiply(by: scale))
        }
        return try -(target * logarithms).sum(along: 1)
    }

    /// From the gradient G at a chunk's logits: G W at x, Gᵀ x at the weight, the sum of G's rows at the
    /// bias.
    private mutating func addGradients(
        at logits: Tensor, _ x: Tensor, _ range: Range<Int>, _ needed: [Bool]
    ) throws {
        if needed[0] {
            let all =
                try gradients[0]
                ?? Tensor.empty(hidden.shape, dtype: hidden.dtype, device: hidden.device)
            if let operand = try weight.operand(as: logits.dtype) {
                try all.slice(range).setProduct(logits, operand)
            } else {
                try all.slice(range).copy(from: logits.matmul(weight))
            }
            gradients[0] = all
        }
        if needed[1] {
            gradients[1] = try logits.transposed().product(x, addedTo: gradients[1], dtype: wide)
        }
        if bias != nil, needed[2] {
            let rowSum = try call(
                "aten::sum.dim_IntList", [.tensor(logits), .ints([0]), false],
                ["dtype": .dtype(wide)])
            gradients[2] = try gradients[2]?.add(rowSum) ?? rowSum
        }
    }
}

extension Tensor {
    /// `sum`, if there is one, and the product of two matrices, in place of `sum`.
    fileprivate func product(
        _ other: Tensor, addedTo sum: Tensor?, dtype: DType
    ) throws -> Tensor {
        guard let sum else { return try matmul(other).to(dtype) }
        guard dtype == self.dtype else { return try sum.add(matmul(other)) }
        return try sum.add(productOf: self, other)
    }
}
