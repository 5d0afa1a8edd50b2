import DualTorch

// MoRA's update as the matrix that it is, for merging.

extension SquareFolding {
    /// ΔW (d, k) of a matrix M: P_out M P_in, P fixed and sparse; where chunks are turned, an M R_i for each of
    /// them.
    func update(_ matrix: Tensor, _ rotation: ChunkRotation?) throws -> Tensor {
        if let rotation { return try update(matrix, rotation) }
        func zeros(_ shape: [Int]) throws -> Tensor {
            try .zeros(shape, dtype: matrix.dtype, device: matrix.device)
        }
        let (across, whole) = (try zeros([side, inputSize]), try zeros([inputSize, outputSize]))
        try input.add(matrix, to: across)  // M P_in
        try output.add(across.transposed(), to: whole)
        return try whole.transposed()
    }

    /// The chunks' rows below each other, over and over: in a chunk's rows stands M R_i at the columns that
    /// the chunk is cut from.
    private func update(_ matrix: Tensor, _ rotation: ChunkRotation) throws -> Tensor {
        let chunks = try (0..<chunks).map { chunk in
            try placed(matrix.matmul(rotation.matrix(chunk)), from: chunk * side % inputSize)
        }
        return try Tensor.joined(chunks, along: 0).cycled(to: outputSize, along: 0)
    }

    /// A matrix (r̂, r̂) among the columns of zeros (r̂, k), from one on and, behind the last, from the first
    /// again; what meets is added.
    private func placed(_ matrix: Tensor, from start: Int) throws -> Tensor {
        var (sum, taken, column): (Tensor?, Int, Int) = (nil, 0, start)
        while taken < side {
            let count = min(side - taken, inputSize - column)
            let zeros = try [column, inputSize - column - count].map {
                try Tensor.zeros([side, $0], dtype: matrix.dtype, device: matrix.device)
            }
            let piece = try Tensor.joined(
                [zeros[0], matrix.slice(taken..<taken + count, along: 1), zeros[1]], along: 1)
            sum = try sum.map { try $0 + piece } ?? piece
            (taken, column) = (taken + count, 0)
        }
        return try sum ?? .zeros([side, inputSize], dtype: matrix.dtype, device: matrix.device)
    }
}
