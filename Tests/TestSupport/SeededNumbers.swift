import DualTorch

extension Tensor {
    /// Draws from N(0, deviation²) that depend on `seed` alone.
    public static func seeded(
        _ shape: [Int], seed: UInt64, deviation: Double = 1, dtype: DType = .float32
    ) throws -> Tensor {
        try normal(
            shape, deviation: deviation, dtype: .float64, using: Generator(seed: seed)
        ).to(dtype)
    }

    /// Whether both have the same bytes, type and shape: -0 differs from 0, a NaN equals itself.
    public func isIdentical(to other: Tensor) throws -> Bool {
        guard shape == other.shape, dtype == other.dtype else { return false }
        let (a, b) = (try detached().contiguous(), try other.detached().contiguous())
        return try a.withBytes { left in try b.withBytes { left.elementsEqual($0) } }
    }
}

/// Whole numbers in `range` that depend on `seed` alone.
public func seededIntegers(_ count: Int, in range: Range<Int>, seed: UInt64) throws -> [Int] {
    let width = Double(range.count)
    let draws: [Double] = try Tensor.uniform(
        [count], from: 0, to: 1, dtype: .float64, using: Generator(seed: seed)
    ).array()
    return draws.map { range.lowerBound + min(range.count - 1, Int($0 * width)) }
}
