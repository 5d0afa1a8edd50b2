import DualTorch
import TestSupport
import Testing

@Suite struct FactorizationTests {
    @Test("The thin singular vectors give the matrix back", arguments: [[5, 3], [3, 5], [4, 4]])
    func singularVectors(_ shape: [Int]) throws {
        let matrix = try Tensor.seeded(shape, seed: 1, dtype: .float64)
        let (left, values, right) = try matrix.singularValueDecomposition()
        let least = shape.min() ?? 0
        #expect(left.shape == [shape[0], least] && right.shape == [least, shape[1]])
        #expect(try (left * values).matmul(right).isClose(to: matrix, absolute: 1e-12))
        let numbers: [Double] = try values.array()
        #expect(numbers == numbers.sorted(by: >))
        #expect(try left.distanceFromOrthonormalColumns() < 1e-12)
        #expect(try right.transposed().distanceFromOrthonormalColumns() < 1e-12)
    }

    @Test("Orthonormal columns span the matrix's, and are their own")
    func orthonormalColumns() throws {
        let matrix = try Tensor.seeded([6, 3], seed: 2, dtype: .float64)
        let columns = try matrix.orthonormalColumns()
        #expect(try columns.distanceFromOrthonormalColumns() < 1e-12)
        #expect(try matrix.distanceFromOrthonormalColumns() > 0.1)
        // Projected on what they span, the matrix stays: and R's diagonal is positive.
        let r = try columns.transposed().matmul(matrix)
        #expect(try columns.matmul(r).isClose(to: matrix, absolute: 1e-12))
        let numbers: [Double] = try r.array()
        for (row, column) in [(1, 0), (2, 0), (2, 1)] {
            #expect(abs(numbers[row * 3 + column]) < 1e-12)
        }
        #expect((0..<3).allSatisfy { numbers[$0 * 4] > 0 })
        #expect(try columns.orthonormalColumns().isClose(to: columns, absolute: 1e-12))
    }

    @Test("Rows are replaced by others, and gradients go where the rows came from")
    func replacing() throws {
        let x = try Tensor([1.0, 2, 3, 4, 5, 6], [3, 2]).requireGradient()
        let rows = try Tensor([7.0, 8, 9, 10], [2, 2]).requireGradient()
        let changed = try x.replacing(rows: Tensor([2, 0]), with: rows)
        #expect(try changed.array() == [9.0, 10, 3, 4, 7, 8])
        let seed = try Tensor([1.0, 2, 3, 4, 5, 6], [3, 2])
        let gradients = try changed.gradients(with: [x, rows], seed: seed)
        #expect(try gradients[0]?.array() == [0.0, 0, 3, 4, 0, 0])
        #expect(try gradients[1]?.array() == [5.0, 6, 1, 2])
    }
}
