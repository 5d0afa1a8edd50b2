import DualTorch
import TestSupport
import Testing

/// The kernels for few rows against LibTorch's operators; a machine that lacks an instruction set uses
/// the best that it has in its place.
@Suite struct NarrowProductTests {
    static let shapes: [(rows: Int, size: Int, columns: Int)] = [
        (1, 1, 1), (1, 64, 48), (2, 31, 7), (3, 100, 13), (4, 33, 25), (5, 16, 12), (7, 257, 29),
        (8, 128, 64), (13, 70, 37), (64, 96, 50),
    ]

    @Test(arguments: InstructionSet.allCases, [DType.float32, .bfloat16])
    func everyInstructionSetGivesTheProduct(set: InstructionSet, dtype: DType) throws {
        for (rows, size, columns) in Self.shapes {
            let x = try Tensor.seeded([rows, size], seed: 1, dtype: dtype)
            let weight = try Tensor.seeded([columns, size], seed: 2, dtype: dtype)
            let bias = try Tensor.seeded([columns], seed: 3, dtype: dtype)
            for shift in [bias, nil] {
                let found = try #require(
                    try set.limiting { try x.narrowProduct(weight, bias: shift, mostRows: 64) })
                let exact = try x.to(.float64).linear(
                    weight.to(.float64), bias: shift?.to(.float64))
                let scale = Double(size).squareRoot()
                let tolerance = dtype == .float32 ? 1e-5 * scale : 2e-2 * scale
                #expect(found.dtype == dtype)
                #expect(try found.isClose(to: exact, absolute: tolerance))
            }
        }
    }

    @Test func severalWeightsGiveWhatEachGivesAlone() throws {
        let x = try Tensor.seeded([2, 3, 40], seed: 1)
        let weights = try [5, 24, 1, 37].map { try Tensor.seeded([$0, 40], seed: UInt64($0)) }
        let together = try #require(
            try x.narrowProducts(weights.map { (weight: .plain($0), bias: nil) }))
        for (weight, product) in zip(weights, together) {
            #expect(try product.isIdentical(to: #require(try x.narrowProduct(weight))))
            #expect(try product.isClose(to: x.linear(weight), absolute: 1e-4))
            #expect(product.shape == [2, 3, weight.size(0)])
        }
    }

    @Test func theKernelDeclinesWhatItCannotDo() throws {
        let x = try Tensor.seeded([4, 8], seed: 1)
        let weight = try Tensor.seeded([6, 8], seed: 2)
        #expect(try x.narrowProduct(weight, mostRows: 3) == nil)
        #expect(try x.to(.float64).narrowProduct(weight.to(.float64)) == nil)
        #expect(try x.to(.bfloat16).narrowProduct(weight) == nil)
        #expect(try x.transposed().narrowProduct(Tensor.seeded([6, 4], seed: 2)) == nil)
        #expect(
            try x.narrowProduct(Tensor.seeded([8, 6], seed: 2).transposed()) == nil)
        #expect(try x.narrowProduct(Tensor.seeded([6, 9], seed: 2)) == nil)
        try weight.requireGradient()
        #expect(try x.narrowProduct(weight) == nil)
        #expect(try withoutGradient { try x.narrowProduct(weight) } != nil)
    }
}
