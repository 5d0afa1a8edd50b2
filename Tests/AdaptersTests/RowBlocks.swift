import DualTorch
import Testing

@testable import DualAdapters

extension Tensor {
    /// Holds this weight W₀ + ΔW, bit for bit, to the blocks of rows that a layer forms of it, one by one, a few,
    /// and all at once; alone, and together with gradients.
    func checkRowBlocks(of update: some FactoredUpdate, onto weight: Tensor) throws {
        let (rows, columns) = (size(0), size(1))
        for count in [1, 7, rows] {
            for start in stride(from: 0, to: rows, by: count) {
                let range = start..<min(rows, start + count)
                let (own, right) = (try weight.slice(range), try slice(range))
                let blocks = try [0, 1].map { _ in try own.roomOfItsLayout() }
                try update.form(
                    rows: range, columns: 0..<columns, onto: .plain(own), into: blocks[0])
                let gradient = try Tensor.seeded([range.count, columns], seed: 9, dtype: dtype)
                let sums = try update.factors.map { try Tensor.zeros(like: $0.detached()) }
                try update.form(
                    rows: range, onto: .plain(own), into: blocks[1], addingGradientsOf: gradient,
                    to: sums)
                for block in blocks { #expect(try block.isIdentical(to: right)) }
            }
        }
    }

    /// Without values, lying in memory as these rows do.
    private func roomOfItsLayout() throws -> Tensor {
        size(1) > 1 && strides[1] != 1
            ? try Tensor.empty([size(1), size(0)], dtype: dtype).transposed()
            : try Tensor.empty(shape, dtype: dtype)
    }
}
