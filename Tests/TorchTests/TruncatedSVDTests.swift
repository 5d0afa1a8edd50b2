import TestSupport
import Testing

@testable import DualTorch

@Suite struct TruncatedSVDTests {
    /// A matrix, the rank to keep, and how it is made.
    struct Case: Sendable, CustomTestStringConvertible {
        let shape: [Int]
        let rank: Int
        /// Of the matrix; nil for full rank.
        var innerRank: Int?
        var testDescription: String { "\(shape), rank \(rank) of \(innerRank ?? 0)" }
    }

    static let cases = [
        Case(shape: [7, 5], rank: 2), Case(shape: [5, 7], rank: 5),
        Case(shape: [600, 540], rank: 8), Case(shape: [540, 700], rank: 16, innerRank: 12),
        Case(shape: [530, 520], rank: 4, innerRank: 20),
        Case(shape: [530, 520], rank: 400),
    ]

    private func matrix(_ row: Case) throws -> Tensor {
        guard let inner = row.innerRank else {
            return try .seeded(row.shape, seed: 1, dtype: .float64)
        }
        return try Tensor.seeded([row.shape[0], inner], seed: 1, dtype: .float64)
            .matmul(.seeded([inner, row.shape[1]], seed: 2, dtype: .float64))
    }

    @Test(
        "It loses what LAPACK's whole decomposition says that the best approximation loses",
        arguments: cases)
    func best(_ row: Case) throws {
        let matrix = try matrix(row)
        let found = try TruncatedSVD(matrix, rank: row.rank)
        let all = try callOperator("aten::linalg_svdvals", [.tensor(matrix)])
        guard case .tensor(let values)? = all.first else { throw Tensor.missingResult(of: "svd") }
        let rest = try values.slice(row.rank..<min(row.shape[0], row.shape[1]))
        let product = try (found.left * found.values).matmul(found.right)
        let whole = try matrix.norm().item()
        let lost = try (matrix - product).norm().item()
        #expect(abs(lost - (try rest.norm().item())) < 1e-4 * whole)
        #expect(found.left.shape == [row.shape[0], row.rank])
        #expect(found.right.shape == [row.rank, row.shape[1]])
    }

    @Test("The vectors are orthonormal, and the values fall", arguments: cases)
    func vectors(_ row: Case) throws {
        let found = try TruncatedSVD(matrix(row), rank: row.rank)
        var identity = [Double](repeating: 0, count: row.rank * row.rank)
        for index in 0..<row.rank { identity[index * row.rank + index] = 1 }
        let expected = try Tensor(identity, [row.rank, row.rank])
        #expect(
            try found.left.transposed().matmul(found.left).isClose(to: expected, absolute: 1e-8))
        #expect(
            try found.right.matmul(found.right.transposed()).isClose(to: expected, absolute: 1e-8))
        let values: [Double] = try found.values.array()
        #expect(zip(values, values.dropFirst()).allSatisfy { $0 >= $1 })
    }
}
