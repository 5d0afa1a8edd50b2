import DualTorch

/// MoRA's path decompress(M compress(x)), where no chunk is turned: both maps go over x and the output
/// where they lie.
struct SquarePath: LinearPath {
    /// M (r̂, r̂)
    let matrix: Tensor
    let input, output: Fold

    var factors: [Tensor] { [matrix] }

    func add(of input: Tensor, to output: Tensor) throws -> [Tensor] {
        let folded = try self.input.summed(input)
        let square = try matrix.detached().to(input.dtype)
        try self.output.add(folded.matmul(square.transposed()), to: output)
        return [folded]
    }

    func gradients(
        of gradient: Tensor, input: Tensor, kept: [Tensor], addingTo atInput: Tensor?
    ) throws -> [Tensor] {
        let atResult = try output.summed(gradient)  // (T, r̂)
        if let atInput {
            try self.input.add(atResult.matmul(matrix.detached().to(input.dtype)), to: atInput)
        }
        return [try atResult.transposed().matmul(kept[0]).to(matrix.dtype)]
    }
}

extension SquareFolding {
    /// What becomes of the input, where chunks are not turned.
    var input: Fold {
        kind == .groups || kind == .groupsToChunks
            ? Fold(groupsOf: inputSize, side: side)
            : Fold(chunksOf: inputSize, side: side, isFilled: true)
    }

    /// What the output is made of, in the same sense.
    var output: Fold {
        kind == .groups || kind == .chunksToGroups
            ? Fold(groupsOf: outputSize, side: side)
            : Fold(chunksOf: outputSize, side: side, isFilled: false)
    }
}
