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

    // MARK: - Through the matrix

    /// (..., k) to what the matrix takes: (..., r̂), or (..., chunks, r̂).
    func folded(_ x: Tensor, _ rotation: ChunkRotation?) throws -> Tensor {
        switch kind {
        case .groups, .groupsToChunks: return try groupSums(x)
        case .chunks, .chunksToGroups: return try chunked(x).sum(along: -2)
        case .rotated: return try rotation?.turned(chunked(x)) ?? chunked(x)
        }
    }

    /// What the matrix gave to (..., d).
    func unfolded(_ y: Tensor) throws -> Tensor {
        switch kind {
        case .groups, .chunksToGroups: return try spread(y)
        case .chunks, .groupsToChunks: return try y.cycled(to: outputSize)
        case .rotated:
            let flat = try y.reshaped(y.shape.dropLast(2) + [chunks * side])
            return try flat.cycled(to: outputSize)
        }
    }

    private func chunked(_ x: Tensor) throws -> Tensor {
        try x.cycled(to: chunks * side).reshaped(x.shape.dropLast() + [chunks, side])
    }

    private func groupSums(_ x: Tensor) throws -> Tensor {
        let lead = Array(x.shape.dropLast())
        let groups = EvenGroups(of: inputSize, count: side)
        let split = groups.larger * (groups.size + 1)
        let first = try x.slice(0..<split, along: -1)
            .reshaped(lead + [groups.larger, groups.size + 1]).sum(along: -1)
        let rest = try x.slice(split..<inputSize, along: -1)
            .reshaped(lead + [side - groups.larger, groups.size]).sum(along: -1)
        return try .joined([first, rest], along: -1)
    }

    private func spread(_ y: Tensor) throws -> Tensor {
        let lead = Array(y.shape.dropLast())
        let groups = EvenGroups(of: outputSize, count: side)
        func repeated(_ range: Range<Int>, _ times: Int) throws -> Tensor {
            try y.slice(range, along: -1).expandedDimension(at: -1)
                .expanded(lead + [range.count, times]).reshaped(lead + [range.count * times])
        }
        return try .joined(
            [
                repeated(0..<groups.larger, groups.size + 1),
                repeated(groups.larger..<side, groups.size),
            ], along: -1)
    }

    /// The turns of the chunks; nil where they are not turned.
    func rotation(for base: Tensor) throws -> ChunkRotation? {
        try kind == .rotated ? ChunkRotation(chunks: chunks, side: side, for: base) : nil
    }
}

/// Elements in groups of neighbours, as evenly as can be: `larger` groups of `size` + 1, then groups
/// of `size`.
struct EvenGroups {
    let size, larger: Int

    init(of elements: Int, count: Int) {
        size = elements / count
        larger = elements % count
    }

    func group(of element: Int) -> Int {
        let split = larger * (size + 1)
        return element < split
            ? element / (size + 1) : larger + (element - split) / max(1, size)
    }
}

extension Tensor {
    /// The elements of a dimension, over and over, until there are `length`.
    func cycled(to length: Int, along dimension: Int = -1) throws -> Tensor {
        let (whole, rest) = length.quotientAndRemainder(dividingBy: size(dimension))
        if whole == 1, rest == 0 { return self }
        let part = rest > 0 ? [try slice(0..<rest, along: dimension)] : []
        if whole == 0 { return part[0] }
        return try .joined(Array(repeating: self, count: whole) + part, along: dimension)
    }
}
