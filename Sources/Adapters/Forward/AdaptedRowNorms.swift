import DualTorch

/// n = ‖W₀ + s B A‖ of every row, without a matrix of that size:
///
///     n² = ‖w₀‖² + 2 s Σ (W₀ Aᵀ) ⊙ B + s² Σ (B A Aᵀ) ⊙ B,  sums over the rank
///
/// The squares of W₀ are kept while it is frozen, and n for as long as A and B are what they were; W₀ itself
/// is not, so that a weight that is given up is gone.
final class AdaptedRowNorms {
    /// What stands for the norm of a row of zeros, by which its own length is divided.
    static let least = 1e-12

    /// The weight that the squares are of.
    private weak var weight: AnyObject?
    private var squares: Tensor?
    private var known: (down: Tensor, up: Tensor, norms: Tensor)?

    /// - Parameters:
    ///   - weight: W₀ (d, k), of any type, whichever way it lies in memory.
    ///   - down, up: A (r, k) and B (d, r), in whose type n is.
    /// - Returns: (d), outside the graph.
    func norms(_ weight: StoredWeight, down: Tensor, up: Tensor, scale: Double) throws -> Tensor {
        let (down, up) = (try down.detached(), try up.detached())
        if let known, self.weight === weight.identity, !weight.requiresGradient,
            try known.down.hasSameElements(as: down), try known.up.hasSameElements(as: up)
        {
            return known.norms
        }
        return try withoutGradient {
            let base = try ofBase(weight)
            let norms = try compute(weight.detached(), base, down, up, scale)
            known = (try down.cloned(), try up.cloned(), norms)
            return norms
        }
    }

    /// ‖w₀‖² of every row (d).
    func ofBase(_ weight: StoredWeight) throws -> Tensor {
        if let squares, self.weight === weight.identity, !weight.requiresGradient { return squares }
        let value = try withoutGradient {
            try weight.detached().byRowBlocks { try $0.squared().sum(along: 1) }
        }
        (self.weight, squares) = (weight.identity, value)
        return value
    }

    private func compute(
        _ weight: StoredWeight, _ base: Tensor, _ down: Tensor, _ up: Tensor, _ scale: Double
    ) throws -> Tensor {
        let across = try weight.byRowBlocks { try $0.matmul(down.transposed()) }  // W₀ Aᵀ (d, r)
        let crossed = try (across * up).sum(along: 1)
        let added = try (up.matmul(down.matmul(down.transposed())) * up).sum(along: 1)
        let squared = try base + 2 * scale * crossed + scale * scale * added
        // Where the update all but takes a row away, the difference has lost its digits.
        let cancelled = try (squared - 0.01 * (base + scale * scale * added)) < 0
        let norms = try squared.clamped(from: 0, to: .infinity).squareRoot()
        let rows = try cancelled.indicesOfTrue()
        if rows.count > 0 {
            let change = try scale * up.gathered(rows: rows).matmul(down)
            let exact = try (weight.gathered(rows: rows).to(down.dtype) + change).rowNorms()
            try norms.copy(exact, toRows: rows)
        }
        return try norms.clamped(from: Self.least, to: .infinity)
    }
}

extension Tensor {
    /// √Σx² of every row (d) of a matrix.
    func rowNorms() throws -> Tensor { try squared().sum(along: 1).squareRoot() }
}

extension StoredWeight {
    /// What `body` makes of blocks of rows, in float32 or wider, one behind the other: a wide copy of a
    /// whole weight is never there.
    func byRowBlocks(_ body: (Tensor) throws -> Tensor) throws -> Tensor {
        let rows = max(1, (2 << 20) / max(1, size(1)))
        let blocks = try stride(from: 0, to: size(0), by: rows).map {
            try body(slice($0..<min($0 + rows, size(0))).dense().wide())
        }
        return blocks.count == 1 ? blocks[0] : try .joined(blocks, along: 0)
    }
}
