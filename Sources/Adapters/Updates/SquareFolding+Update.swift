import DualTorch

// MoRA's update as the matrix that it is, for merging.

extension SquareFolding {
    /// ΔW (d, k) of a matrix M: P_out M P_in, P fixed and sparse.
    ///
    /// Where chunks are turned, P_in of a chunk is R_i times those rows of the identity, and P_out
    /// takes the chunks' results as they stand below each other.
    func update(_ matrix: Tensor, _ rotation: ChunkRotation?) throws -> Tensor {
        guard let rotation else {
            let output = try placement(outputSize, side, outputPlaces, like: matrix)
            let input = try placement(side, inputSize, inputPlaces, like: matrix)
            return try output.matmul(matrix).matmul(input)
        }
        let padded = chunks * side
        let input = try placement(padded, inputSize, paddedPlaces, like: matrix)
        let results = try (0..<chunks).map { chunk in
            let part = try input.slice(chunk * side..<(chunk + 1) * side)
            return try matrix.matmul(rotation.matrix(chunk)).matmul(part)
        }
        let output = try placement(
            outputSize, padded, (0..<outputSize).map { Place(row: $0, column: $0 % padded) },
            like: matrix)
        return try output.matmul(.joined(results, along: 0))
    }

    private struct Place {
        let row, column: Int
    }

    /// Which elements of the filled up input are which of the input's.
    private var paddedPlaces: [Place] {
        (0..<chunks * side).map { Place(row: $0, column: $0 % inputSize) }
    }

    private var inputPlaces: [Place] {
        guard kind == .groups || kind == .groupsToChunks else {
            return paddedPlaces.map { Place(row: $0.row % side, column: $0.column) }
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
