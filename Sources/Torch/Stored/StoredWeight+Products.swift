// Products with a weight as it is stored. Where that is not the type of the other operand, rows of the weight
// are converted a block at a time, into one room that is used over and over.

extension StoredWeight {
    /// What a block of converted rows may take in memory.
    static let blockBytes = 8 << 20

    /// The tensor that products in a type read as it is: one of this type, or one that trains, whose conversion
    /// is a part of the graph. Nil where rows are converted on the way.
    package func operand(as dtype: DType) throws -> Tensor? {
        guard let tensor = plainTensor else { return nil }
        if tensor.dtype == dtype { return tensor }
        return tensor.requiresGradient ? try tensor.to(dtype) : nil
    }

    /// Runs `body` with blocks of rows in a type, one after the other; each is good until the next.
    ///
    /// A plain weight of this type is one block. One whose columns are contiguous gives blocks whose columns are.
    package func forEachBlock(
        as dtype: DType, bytes: Int = blockBytes, _ body: (Range<Int>, Tensor) throws -> Void
    ) throws {
        if let tensor = plainTensor, tensor.dtype == dtype { return try body(0..<size(0), tensor) }
        let (count, columns) = (size(0), size(1))
        let most = bytes / (max(1, columns) * dtype.byteCount)
        // Products are fastest where sizes are multiples of their own blocks.
        let rows = most >= 64 ? most / 64 * 64 : max(1, most)
        for start in stride(from: 0, to: count, by: rows) {
            let range = start..<min(start + rows, count)
            try body(range, slice(range).converted(to: dtype))
        }
    }

    private func converted(to dtype: DType) throws -> Tensor {
        let isTurned = !hasContiguousRows
        let shape = isTurned ? shape.reversed() : shape
        let room = try BlockMemory.ofThisThread.take(.stored, shape, dtype: dtype, device: device)
        let block = isTurned ? try room.transposed() : room
        switch self {
        case .plain(let tensor): return try block.copy(from: tensor)
        case .blocks(let matrix):
            guard DequantizationKernel.takes(block) else {
                return try matrix.dequantized(as: dtype)
            }
            try matrix.dequantize(into: block)
            return block
        }
    }
}

extension Tensor {
    /// x Wᵀ + b, (..., in) to (..., out) in the type of x, of a weight (out, in) as it is stored; differentiable
    /// in x and b, and in a weight that trains.
    ///
    /// Few rows, as when text is generated, go through a kernel that reads what is stored at the speed of the
    /// memory.
    public func projected(by weight: StoredWeight, bias: Tensor? = nil) throws -> Tensor {
        let bias = try bias?.to(dtype)
        if let operand = try weight.operand(as: dtype) {
            return try projected(by: operand, bias: bias)
        }
        if let product = try narrowProducts([(weight, bias)])?.first { return product }
        let output = try withoutGradient { try detached().product(with: weight, bias: bias) }
        return try customFunction("storedLinear", of: [self] + (bias.map { [$0] } ?? [])) {
            [output]
        } backward: { gradients, needed in
            guard let gradient = gradients[0] else { return needed.map { _ in nil } }
            return try withoutGradient {
                let given = try gradient.detached()
                let atInput = needed[0] ? try given.matmul(weight) : nil
                guard needed.count > 1 else { return [atInput] }
                let rows = try given.reshaped(-1, given.size(-1))
                return [atInput, needed[1] ? try rows.sum(along: 0) : nil]
            }
        }[0]
    }

    /// The product by LibTorch, a block of the weight's rows after the other, outside the graph.
    private func product(with weight: StoredWeight, bias: Tensor?) throws -> Tensor {
        let shape = Array(shape.dropLast()) + [weight.size(0)]
        let x = try reshaped(-1, size(-1))
        var output: Tensor?
        try weight.forEachBlock(as: dtype) { rows, block in
            let product = try x.linear(block, bias: bias?.slice(rows))
            if rows.count == weight.size(0) {
                output = product
            } else {
                let whole =
                    try output
                    ?? .empty([x.size(0), weight.size(0)], dtype: dtype, device: device)
                try whole.slice(rows, along: 1).copy(from: product)
                output = whole
            }
        }
        return try (output ?? .empty([x.size(0), 0], dtype: dtype, device: device)).reshaped(shape)
    }

    /// g W, (..., out) to (..., in) in the type of g, of a frozen weight (out, in) as it is stored: the gradient
    /// at the input of a product with it. Outside the graph.
    ///
    /// The blocks' parts are added in float32 at least, so that more blocks round no more.
    package func matmul(_ weight: StoredWeight) throws -> Tensor {
        if let operand = try weight.operand(as: dtype) { return try matmul(operand) }
        let gradient = try reshaped(-1, size(-1))
        let wide = dtype == .float64 ? DType.float64 : .float32
        var sum: Tensor?
        try weight.forEachBlock(as: dtype) { rows, block in
            let part = try gradient.slice(rows, along: 1)
            if let sum, wide == dtype {
                try sum.add(productOf: part, block)
            } else if let sum {
                try sum.add(part.matmul(block))
            } else {
                let product = try part.matmul(block)
                sum = rows.count == weight.size(0) ? product : try product.to(wide)
            }
        }
        let product =
            try sum ?? .zeros([gradient.size(0), weight.size(1)], dtype: dtype, device: device)
        return try product.to(dtype).reshaped(Array(shape.dropLast()) + [weight.size(1)])
    }
}
