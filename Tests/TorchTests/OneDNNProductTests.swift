import TestSupport
import Testing

@testable import DualTorch

/// oneDNN's products against LibTorch's in float64, on whatever processor.
@Suite(.enabled(if: OneDNNProduct.isThere)) struct OneDNNProductTests {
    @Test(
        "x Wᵀ + b, whichever way W lies",
        arguments: [(rows: 64, size: 96, columns: 50), (3, 257, 129), (200, 64, 1)], [false, true])
    func product(shape: (rows: Int, size: Int, columns: Int), isTurned: Bool) throws {
        let x = try Tensor.seeded([2, shape.rows, shape.size], seed: 1)
        let drawn = try Tensor.seeded([shape.columns, shape.size], seed: 2)
        let weight =
            isTurned ? try drawn.transposed().contiguous().transposed() : drawn
        for bias in [nil, try Tensor.seeded([shape.columns], seed: 3)] {
            let exact = try x.to(.float64).linear(
                weight.to(.float64), bias: bias?.to(.float64))
            let found = try OneDNNProduct.computed(x, weight, bias: bias)
            #expect(found.shape == [2, shape.rows, shape.columns])
            let tolerance = 1e-5 * Double(shape.size).squareRoot()
            #expect(try found.isClose(to: exact, absolute: tolerance))
        }
    }

    @Test("A graph is recorded all the same where one is wanted")
    func gradients() throws {
        let x = try Tensor.seeded([64, 512], seed: 1).requireGradient()
        let weight = try Tensor.seeded([256, 512], seed: 2)
        let seed = try Tensor.seeded([64, 256], seed: 3)
        let exact = try seed.to(.float64).matmul(weight.to(.float64))
        for output in [
            try x.linear(weight), try x.projected(by: .plain(weight)),
            try x.matmul(weight.transposed()),
        ] {
            let gradient = try #require(try (output * seed).sum().gradients(with: [x])[0])
            #expect(try gradient.isClose(to: exact, absolute: 1e-3))
        }
    }

    @Test("Products into a matrix that is there are what they are without it")
    func inPlace() throws {
        let (left, right) = (
            try Tensor.seeded([64, 512], seed: 1), try Tensor.seeded([512, 256], seed: 2)
        )
        let room = try Tensor.zeros([64, 256])
        try room.setProduct(left, right)
        let exact = try left.to(.float64).matmul(right.to(.float64))
        #expect(try room.isClose(to: exact, absolute: 1e-3))
    }
}
