extension Tensor {
    /// Mean over rows of -log softmax(self Wᵀ + b)[label], in float32 at least, of which the logits
    /// never exist but for a chunk of rows.
    ///
    /// Where gradients are recorded, the forward computes them, chunk by chunk, while it has the logits;
    /// the backward scales them. So the logits are made once, and nothing of `self` is kept.
    /// Reference: Hsu et al. 2024, "Liger Kernel", arXiv:2410.10989, section 3.2.
    /// - Parameters:
    ///   - self: (N, size)
    ///   - weight: (classes, size), as it is stored; products are computed in the type of `self`.
    ///   - bias: (classes)
    ///   - labels: (N) of int64, each in 0..<classes.
    ///   - labelSmoothing: the share of a target that all classes have alike.
    ///   - rows: of a chunk; nil for the most that is worth it.
    /// - Throws: ``TorchError`` for shapes, types and labels that do not fit.
    public func crossEntropy(
        through weight: StoredWeight, bias: Tensor? = nil, labels: Tensor,
        labelSmoothing: Double = 0, rows: Int? = nil
    ) throws -> Tensor {
        let inputs = [self] + [weight.plainTensor, bias].compactMap(\.self)
        // Of the hidden states, the weight and the bias; blocks are frozen.
        func isRecorded(_ tensor: Tensor?) -> Bool {
            isRecordingGradients && tensor?.requiresGradient ?? false
        }
        let wanted =
            [isRecorded(self), isRecorded(weight.plainTensor)]
            + (bias.map { [isRecorded($0)] } ?? [])
        var saved: [Tensor?] = []
        return try customFunction("crossEntropy", of: inputs) {
            var job = try ChunkedCrossEntropy(
                hidden: self, weight: weight, bias: bias, labels: labels,
                labelSmoothing: labelSmoothing, rows: rows)
            let loss = try job.run(gradients: wanted)
            saved = job.gradients
            if weight.isBlocks { saved.remove(at: 1) }
            return [loss]
        } backward: { gradients, needed in
            guard let factor = try gradients[0]?.item() else { return needed.map { _ in nil } }
            return try zip(saved, needed).map { gradient, isNeeded in
                guard isNeeded, let gradient else { return nil }
                if factor == 1 { return gradient }
                // What is not used again need not be copied.
                return backwardKeepsGraph
                    ? try gradient * factor : try gradient.multiply(by: factor)
            }
        }[0]
    }
}

extension Tensor {
    /// As above, of a weight that is a tensor.
    public func crossEntropy(
        through weight: Tensor, bias: Tensor? = nil, labels: Tensor, labelSmoothing: Double = 0,
        rows: Int? = nil
    ) throws -> Tensor {
        try crossEntropy(
            through: .plain(weight), bias: bias, labels: labels, labelSmoothing: labelSmoothing,
            rows: rows)
    }
}

/// How many rows of logits to make at a time: as many as take so many bytes, but no fewer than make a
/// product that runs at its full speed.
///
/// Measured at vocabularies of 32000 and 128256. Where the weight of a head trains, every chunk adds to
/// its whole gradient, which pays for larger ones.
package func rowsOfLogits(classes: Int, dtype: DType, weightTrains: Bool = false) -> Int {
    let (bytes, fewest) = (weightTrains ? 64 << 20 : 16 << 20, 256)
    return max(fewest, bytes / (max(1, classes) * dtype.byteCount))
}
