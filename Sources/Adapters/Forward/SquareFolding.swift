import DualTorch

/// How MoRA leads the input of a layer to a square matrix of r̂ rows and its result to the output.
struct SquareFolding {
    /// The numbers of `mora_type`.
    enum Kind: Int, CaseIterable, Sendable {
        /// Input and output are cut into chunks of r̂; the input's are summed up, the result repeated.
        case chunks = 1
        /// Neighbours are summed up, as evenly as can be, and each result stands for neighbours.
        case groups = 2
        /// Groups in, chunks out.
        case groupsToChunks = 3
        /// Chunks in, groups out.
        case chunksToGroups = 4
        /// Every chunk goes through the matrix by itself, turned by its number as RoPE does.
        case rotated = 6
    }

    let kind: Kind
    /// r̂
    let side: Int
    let inputSize, outputSize: Int

    /// r̂ = ⌊√((d + k) r) + ½⌋, even where chunks are turned.
    static func side(_ kind: Kind, rank: Int, outputSize: Int, inputSize: Int) -> Int {
        let side = Int(Double((outputSize + inputSize) * rank).squareRoot() + 0.5)
        return kind == .rotated ? max(2, side / 2 * 2) : side
    }

    /// Chunks of the input; the last is filled up with the input's own first elements.
    var chunks: Int { (inputSize + side - 1) / side }

    // MARK: - Chunks that are turned

    /// (..., k) to (..., chunks, r̂), each turned.
    func turned(_ x: Tensor, _ rotation: ChunkRotation) throws -> Tensor {
        let chunked = try x.cycled(to: chunks * side)
            .reshaped(x.shape.dropLast() + [chunks, side])
        return try rotation.turned(chunked)
    }

    /// What the matrix gave for each chunk, (..., chunks, r̂), to (..., d).
    func joined(_ y: Tensor) throws -> Tensor {
        try y.reshaped(y.shape.dropLast(2) + [chunks * side]).cycled(to: outputSize)
    }

    /// The turns of the chunks; nil where they are not turned.
    func rotation(for base: Tensor) throws -> ChunkRotation? {
        try kind == .rotated ? ChunkRotation(chunks: chunks, side: side, for: base) : nil
    }
}

extension Tensor {
    /// The elements of a dimension, over and over, until there are `length`.
    func cycled(to length: Int, along dimension: Int = -1) throws -> Tensor {
        let (whole, remainder) = length.quotientAndRemainder(dividingBy: size(dimension))
        if whole == 1, remainder == 0 { return self }
        let tail = remainder > 0 ? [try slice(0..<remainder, along: dimension)] : []
        if whole == 0 { return tail[0] }
        return try .joined(Array(repeating: self, count: whole) + tail, along: dimension)
    }
}
