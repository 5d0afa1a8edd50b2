import DualTorch

extension FactoredUpdate {
    /// Whether W₀ + ΔW, rounded to a type, lacks more than a tenth of ΔW, in the Frobenius norm.
    ///
    /// Between two numbers of bfloat16 lie 2⁻⁸ to 2⁻⁷ of their size, so that a sum with less than half of
    /// that is W₀ again: of a change of 0.1 % of W₀ next to nothing is left, of one of 1.6 % nine tenths.
    /// It is measured at tiles along the diagonal, and the same of the same numbers.
    func isLostInRounding(onto weight: StoredWeight, as dtype: DType) throws -> Bool {
        guard dtype.isNarrow, let factor = factors.first else { return false }
        return try withoutGradient {
            let tiles = try SampleTile.alongDiagonal(of: weight.shape).map { tile in
                let change = try Tensor.empty(
                    [tile.rows.count, tile.columns.count], dtype: factor.dtype,
                    device: factor.device)
                try form(rows: tile.rows, columns: tile.columns, onto: nil, into: change)
                let own = try weight.slice(tile.rows).slice(columns: tile.columns)
                let sum = try own.dense(as: dtype).to(change.dtype) + change
                return (change: change, lost: try sum.to(dtype).to(change.dtype) - sum)
            }
            func norm(_ tensors: [Tensor]) throws -> Tensor {
                try Tensor.joined(tensors.map { try $0.reshaped(-1) }, along: 0).norm()
            }
            // No number where nothing changes, and so not greater.
            return try (norm(tiles.map(\.lost)) / norm(tiles.map(\.change))).item() > 0.1
        }
    }
}

/// A part of a matrix that stands for the whole.
private struct SampleTile: Hashable {
    let rows, columns: Range<Int>

    static func alongDiagonal(of shape: [Int], count: Int = 4) -> [SampleTile] {
        func range(_ index: Int, _ size: Int, most: Int) -> Range<Int> {
            let start = max(0, size - most) * index / (count - 1)
            return start..<min(size, start + most)
        }
        let tiles = (0..<count).map {
            SampleTile(rows: range($0, shape[0], most: 16), columns: range($0, shape[1], most: 256))
        }
        return tiles.count > 1 && Set(tiles).count == 1 ? [tiles[0]] : tiles
    }
}
