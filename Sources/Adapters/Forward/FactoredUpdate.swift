import DualModules
import DualTorch

/// ΔW (d, k), of high rank and made from small factors, which is formed where it is used, block by
/// block, and never kept.
///
/// A method says how a block is formed and how the gradient at a block of rows reaches the factors;
/// ``Tensor/linear(through:weight:bias:outputSize:blockBytes:)`` does the rest, the same for all.
protocol FactoredUpdate {
    /// What trains; values are read when a block is formed.
    var factors: [Tensor] { get }

    /// Puts the block W₀ + ΔW, or ΔW alone, into `block`, outside the graph.
    /// - Parameters:
    ///   - weight: the block of W₀ (rows, columns), whichever way it lies in memory; nil for ΔW alone.
    ///   - block: (rows, columns), lying in memory as the weight does.
    func form(
        rows: Range<Int>, columns: Range<Int>, onto weight: StoredWeight?, into block: Tensor)
        throws

    /// Adds to `sums`, one tensor a factor and of its shape, the gradients at the factors.
    /// - Parameter gradient: ∂L/∂ΔW of the block of rows (rows, k), in the type of the products.
    func addGradients(of gradient: Tensor, rows: Range<Int>, to sums: [Tensor]) throws

    /// Both of the same rows at once, for updates that have more use of their products together.
    func form(
        rows: Range<Int>, onto weight: StoredWeight?, into block: Tensor,
        addingGradientsOf gradient: Tensor, to sums: [Tensor]) throws
}

extension FactoredUpdate {
    func form(
        rows: Range<Int>, onto weight: StoredWeight?, into block: Tensor,
        addingGradientsOf gradient: Tensor, to sums: [Tensor]
    ) throws {
        try addGradients(of: gradient, rows: rows, to: sums)
        try form(rows: rows, columns: 0..<gradient.size(1), onto: weight, into: block)
    }

    /// W₀ + ΔW as a whole, in W₀'s type, as the forward of a layer in that type has it.
    func formed(onto weight: StoredWeight) throws -> Tensor {
        let whole = try withoutGradient { try weight.emptyLike() }
        try form(
            rows: 0..<weight.size(0), columns: 0..<weight.size(1), onto: weight, into: whole)
        return whole
    }
}

extension Tensor {
    /// x (W₀ + ΔW)ᵀ + b, keeping only x and the factors.
    ///
    /// Blocks of W₀ + ΔW are formed, multiplied and thrown away, in the forward and again in the
    /// backward. Three products of T·d·k: forward, gradient at x, gradient at the update. Where the
    /// update is zero, no bit differs from the layer without it.
    ///
    /// In a narrow type, W₀ + ΔW is W₀ again where ΔW is small. There the forward has a fourth product:
    /// x W₀ᵀ is added to x ΔWᵀ before the sum is rounded. See
    /// ``FactoredUpdate/isLostInRounding(onto:as:)``.
    /// - Parameters:
    ///   - weight: W₀ (d, k), frozen; nil for x ΔWᵀ alone.
    ///   - bias: b (d).
    ///   - blockBytes: what a block of W₀ + ΔW may take in memory.
    /// - Returns: (..., d), in the type of x.
    func linear(
        through update: some FactoredUpdate, weight: StoredWeight?, bias: Tensor?, outputSize: Int,
        blockBytes: Int = 32 << 20
    ) throws -> Tensor {
        let (x, bias) = (try contiguous(), try bias?.to(dtype))
        let layer = BlockwiseLinear(
            update: update, weight: weight, bias: try bias?.detached(),
            // The graph holds the layer; a tensor that is in the graph itself would make a ring.
            input: try x.detached(), outputSize: outputSize, blockBytes: blockBytes)
        let (factors, biases) = (update.factors, bias.map { [$0] } ?? [])
        return try customFunction("linearThroughUpdate", of: [x] + factors + biases) {
            [try layer.output()]
        } backward: { gradients, needed in
            guard let gradient = gradients[0] else { return needed.map { _ in nil } }
            let rows = try gradient.reshaped(-1, gradient.size(-1)).contiguous()  // (T, d)
            return try withoutGradient {
                let atInputAndFactors = try layer.gradients(
                    rows.detached(), atInput: needed[0],
                    atFactors: needed.dropFirst().prefix(factors.count).contains(true))
                // The bias comes last, if there is one.
                guard atInputAndFactors.count < needed.count else { return atInputAndFactors }
                return try atInputAndFactors + [needed.last == true ? rows.sum(along: 0) : nil]
            }
        }[0]
    }
}

/// One call of a layer whose weight is formed block by block.
private struct BlockwiseLinear<Update: FactoredUpdate> {
    let update: Update
    let weight: StoredWeight?
    let bias: Tensor?
    /// x (..., k), outside the graph.
    let input: Tensor
    let outputSize: Int
    let blockBytes: Int

    private var inputSize: Int { input.size(-1) }

    /// Ranges that cover 0..<count, of whose lines of `length` elements as many as a block may have.
    private func blocks(of count: Int, length: Int) -> [Range<Int>] {
        let most = blockBytes / (max(1, length) * input.dtype.byteCount)
        // Products are fastest where sizes are multiples of their own blocks.
        let size = most >= 64 ? most / 64 * 64 : max(1, most)
        return stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
    }

    /// Memory for a block of rows, which lies as the weight does.
    private func room(_ rows: Range<Int>) throws -> Tensor {
        let isTransposed = weight?.hasContiguousRows == false
        let shape = isTransposed ? [inputSize, rows.count] : [rows.count, inputSize]
        let room = try BlockMemory.ofThisThread.take(.weight, shape, like: input)
        return isTransposed ? try room.transposed() : room
    }

    private func formed(_ rows: Range<Int>) throws -> Tensor {
        let block = try room(rows)
        try update.form(
            rows: rows, columns: 0..<inputSize, onto: weight?.slice(rows), into: block)
        return block
    }

    /// x W'ᵀ + b, a block of W's rows after the other.
    func output() throws -> Tensor {
        if let kept = try keptWeight() { return try input.projected(by: kept, bias: bias) }
        let blocks = blocks(of: outputSize, length: inputSize)
        let apart = try weightApart()
        func product(_ rows: Range<Int>) throws -> Tensor {
            let bias = try bias?.slice(rows, along: 0)
            return try apart.map { try productApart(rows, from: $0.slice(rows), bias: bias) }
                ?? input.projected(by: formed(rows), bias: bias)
        }
        if blocks.count == 1 { return try product(blocks[0]) }
        let output = try Tensor.empty(
            Array(input.shape.dropLast()) + [outputSize], dtype: input.dtype, device: input.device)
        for rows in blocks { try output.slice(rows, along: -1).copy(from: product(rows)) }
        return output
    }

    /// W₀, if ΔW is not formed onto it, because it would be lost in rounding.
    private func weightApart() throws -> StoredWeight? {
        try weight.flatMap { try update.isLostInRounding(onto: $0, as: input.dtype) ? $0 : nil }
    }

    /// W₀ + ΔW where a text is generated: formed once for all of its tokens, if there is room.
    private func keptWeight() throws -> Tensor? {
        // What is free of another device's memory is not known.
        guard let weight, let factor = update.factors.first, let all = FormedWeights.current,
            input.device.kind == .cpu
        else { return nil }
        let bytes = outputSize * inputSize * input.dtype.byteCount
        return try all.weight(of: factor, bytes: bytes) {
            try weightApart() == nil ? formedWhole(onto: weight) : nil
        }
    }

    /// W₀ + ΔW in memory of its own, in the type of x, which lies as the weight does.
    private func formedWhole(onto weight: StoredWeight) throws -> Tensor {
        let isTransposed = !weight.hasContiguousRows
        let memory = try Tensor.empty(
            isTransposed ? [inputSize, outputSize] : [outputSize, inputSize], dtype: input.dtype,
            device: input.device)
        let whole = isTransposed ? try memory.transposed() : memory
        try update.form(rows: 0..<outputSize, columns: 0..<inputSize, onto: weight, into: whole)
        return whole
    }

    /// x ΔWᵀ + x W₀ᵀ, whose sum is rounded once, + b.
    private func productApart(
        _ rows: Range<Int>, from weight: StoredWeight, bias: Tensor?
    ) throws -> Tensor {
        let change = try room(rows)
        try update.form(rows: rows, columns: 0..<inputSize, onto: nil, into: change)
        let x = try input.reshaped(-1, inputSize)
        let sum = try x.linear(change)
        try sum.add(productOf: x, weight.dense(as: input.dtype).transposed())
        if let bias { try sum.add(bias) }
        return try sum.reshaped(Array(input.shape.dropLast()) + [rows.count])
    }

    /// The gradients at x, g W', and at the factors, from gᵀ x: a block of W's rows after the other.
    ///
    /// The blocks' parts of g W' are added in float32 at least, so that more blocks round no more.
    func gradients(_ gradient: Tensor, atInput: Bool, atFactors: Bool) throws -> [Tensor?] {
        let columns = try input.reshaped(-1, inputSize)  // (T, k)
        let sums = atFactors ? try update.factors.map { try Tensor.zeros(like: $0.detached()) } : []
        let blocks = blocks(of: outputSize, length: inputSize)
        let wide = input.parameterType
        var inputGradient: Tensor?
        for rows in blocks {
            let atRows = try gradient.slice(rows, along: 1)  // (T, rows)
            var atUpdate: Tensor?
            if atFactors {
                let room = try BlockMemory.ofThisThread.take(
                    .gradient, [rows.count, inputSize], like: input)
                atUpdate = try room.setProduct(atRows.transposed(), columns)
            }
            let block = try weightBlock(rows, gradient: atUpdate, sums: sums, isNeeded: atInput)
            guard let block else { continue }
            let product = try atRows.matmul(block)  // (T, k)
            if let sum = inputGradient {
                try sum.add(product)
            } else {
                inputGradient = blocks.count == 1 ? product : try product.to(wide)
            }
        }
        let shaped = try inputGradient?.to(input.dtype).reshaped(input.shape)
        return [shaped] + (atFactors ? sums : update.factors.map { _ in nil })
    }

    /// A block of W', if it is needed, and what the gradient there adds to the factors', if there is one.
    private func weightBlock(
        _ rows: Range<Int>, gradient: Tensor?, sums: [Tensor], isNeeded: Bool
    ) throws -> Tensor? {
        guard let gradient else { return isNeeded ? try formed(rows) : nil }
        guard isNeeded else {
            try update.addGradients(of: gradient, rows: rows, to: sums)
            return nil
        }
        let block = try room(rows)
        try update.form(
            rows: rows, onto: weight?.slice(rows), into: block, addingGradientsOf: gradient,
            to: sums)
        return block
    }
}
