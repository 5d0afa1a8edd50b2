import DualTorch

// MoRA's update as the matrix that it is, for merging.

extension SquareFolding {
    /// ΔW (d, k) of a matrix M: P_out M P_in, P fixed and sparse.
    ///
    /// Where chunks are turned there is an M R_i for each of them.
    func update(_ matrix: Tensor, _ rotation: ChunkRotation?) throws -> Tensor {
        if let rotation { return try update(matrix, rotation) }
        let output = try placement(outputSize, side, outputPlaces, like: matrix)
        let input = try placement(side, inputSize, inputPlaces, like: matrix)
        return try output.matmul(matrix).matmul(input)
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

    private struct Place {
        let row, column: Int
    }

    private var inputPlaces: [Place] {
        guard kind == .groups || kind == .groupsToChunks else {
            // The last chunk is filled up with the input's own first elements.
            return (0..<chunks * side).map { Place(row: $0 % side, column: $0 % inputSize) }
        }
        let groups = EvenGroups(of: inputSize, count: side)
        return (0..<inputSize).map { Place(row: groups.group(of: $0), column: $0) }
    }

    private var outputPlaces: [Place] {
        let groups = EvenGroups(of: outputSize, count: side)
        let isGrouped = kind == .groups || kind == .chunksToGroups
        return (0..<outputSize).map {
            Place(row: $0, column: isGrouped ? groups.group(of: $0) : $0 % side)
        }
    }

    /// As many ones as there are places, each added where it stands.
    private func placement(
        _ rows: Int, _ columns: Int, _ places: [Place], like other: Tensor
    ) throws -> Tensor {
        var values = [Double](repeating: 0, count: rows * columns)
        for place in places { values[place.row * columns + place.column] += 1 }
        return try Tensor(values, [rows, columns]).to(other.dtype).to(device: other.device)
    }
}
