import TestSupport
import Testing

@testable import DualTorch

/// Products with weights as they are stored, against products with their numbers.
@Suite struct StoredWeightTests {
    /// A weight (rows, columns) in each way of storing it.
    static let storages: [(name: String, make: @Sendable (Tensor) throws -> StoredWeight)] =
        [DType.float32, .bfloat16, .float16].map { type in
            (type.rawValue, { .plain(try $0.to(type)) })
        }
        + BlockFormat.written.map { format in
            (format.rawValue, { .blocks(try BlockMatrix(quantizing: $0, to: format)) })
        }

    @Test(
        "Few rows are multiplied by what is stored as by its numbers",
        arguments: InstructionSet.allCases, storages.indices)
    func fewRows(set: InstructionSet, storage: Int) throws {
        for (rows, size, columns) in [(1, 64, 48), (2, 256, 7), (3, 192, 13), (9, 64, 50)] {
            let weight = try Self.storages[storage].make(.seeded([columns, size], seed: 2))
            for dtype in [DType.float32, .bfloat16] {
                let x = try Tensor.seeded([rows, size], seed: 1, dtype: dtype)
                let bias = try Tensor.seeded([columns], seed: 3, dtype: dtype)
                let found = try #require(
                    try set.limiting { try x.narrowProducts([(weight, bias)], mostRows: 64) })[0]
                let exact = try x.to(.float64).linear(
                    weight.dense(as: .float64), bias: bias.to(.float64))
                let scale = Double(size).squareRoot()
                #expect(found.dtype == dtype)
                #expect(
                    try found.isClose(
                        to: exact, absolute: (dtype == .float32 ? 1e-5 : 2e-2) * scale))
            }
        }
    }

    @Test("Many rows, forward and backward, are those of the numbers", arguments: storages.indices)
    func manyRows(storage: Int) throws {
        // More than one block of rows.
        for shape in [[70, 64], [2500, 1024]] {
            let weight = try Self.storages[storage].make(.seeded(shape, seed: 2))
            let dense = try weight.dense(as: .float32)
            for dtype in [DType.float32, .bfloat16] {
                let x = try Tensor.seeded([3, 30, shape[1]], seed: 1, dtype: dtype)
                    .requireGradient()
                let bias = try Tensor.seeded([shape[0]], seed: 3, dtype: dtype).requireGradient()
                let y = try x.projected(by: weight, bias: bias)
                let seed = try Tensor.seeded(y.shape, seed: 4, dtype: dtype)
                let found = try y.gradients(with: [x, bias], seed: seed)
                let other = try x.detached().to(.float64).requireGradient()
                let otherBias = try bias.detached().to(.float64).requireGradient()
                let exact = try other.linear(dense.to(.float64), bias: otherBias)
                let expected = try exact.gradients(
                    with: [other, otherBias], seed: seed.to(.float64))
                let relative = dtype == .float32 ? 1e-5 : 2e-2
                func isClose(_ a: Tensor?, _ b: Tensor?) throws -> Bool {
                    let (a, b) = (try #require(a), try #require(b).detached())
                    return try (a.detached().to(.float64) - b).norm().item()
                        < relative * b.norm().item()
                }
                #expect(y.dtype == dtype && found[0]?.dtype == dtype)
                #expect(try isClose(y, exact))
                #expect(try isClose(found[0], expected[0]))
                #expect(try isClose(found[1], expected[1]))
            }
        }
    }

    @Test("A weight of contiguous columns is read as it lies")
    func turned() throws {
        let numbers = try Tensor.seeded([96, 80], seed: 2, dtype: .bfloat16)
        let turned = try numbers.transposed().contiguous().transposed()
        let x = try Tensor.seeded([70, 80], seed: 1)
        let found = try x.projected(by: .plain(turned))
        #expect(try found.isClose(to: x.linear(numbers.to(.float32)), absolute: 1e-4))
        let gradient = try Tensor.seeded([70, 96], seed: 3)
        #expect(
            try gradient.matmul(.plain(turned))
                .isClose(to: gradient.matmul(numbers.to(.float32)), absolute: 1e-4))
    }

    @Test("The loss through a head as it is stored is that through its numbers")
    func loss() throws {
        for (name, make) in Self.storages {
            let weight = try make(.seeded([300, 64], seed: 2, deviation: 0.1))
            let hidden = try Tensor.seeded([20, 64], seed: 1).requireGradient()
            let labels = try Tensor((0..<20).map { $0 * 7 })
            let loss = try hidden.crossEntropy(through: weight, labels: labels, rows: 6)
            let gradient = try #require(try loss.gradients(with: [hidden])[0])
            let other = try hidden.detached().requireGradient()
            let exact = try other.crossEntropy(
                through: weight.dense(as: .float32), labels: labels)
            let expected = try #require(try exact.gradients(with: [other])[0])
            #expect(abs(try loss.item() - exact.item()) < 1e-5, "\(name)")
            #expect(try gradient.isClose(to: expected, absolute: 1e-6), "\(name)")
        }
    }

    @Test(
        "Fused updates onto a stored weight are those onto its numbers, bit for bit",
        arguments: storages.indices)
    func updates(storage: Int) throws {
        let (rows, columns) = (150, 320)
        let weight = try Self.storages[storage].make(.seeded([rows, columns], seed: 2))
        let numbers = StoredWeight.plain(try weight.dense(as: .float32))
        let factors = (
            b: try Tensor.seeded([rows, 5], seed: 3), a: try Tensor.seeded([5, columns], seed: 4),
            d: try Tensor.seeded([rows, 5], seed: 5), c: try Tensor.seeded([5, columns], seed: 6)
        )
        for dtype in [DType.float32, .bfloat16] {
            let gradient = try Tensor.seeded([rows, columns], seed: 7, dtype: dtype)
            func run(_ weight: StoredWeight) throws -> [Tensor] {
                let blocks = try (0..<4).map { _ in
                    try Tensor.empty([rows, columns], dtype: dtype)
                }
                let sums = try (0..<6).map {
                    try Tensor.zeros($0 % 2 == 0 ? [rows, 5] : [5, columns])
                }
                try DualLoRAKernel.form(
                    blocks[0], onto: weight, b: factors.b, a: factors.a, d: factors.d,
                    c: factors.c, scale: 0.5)
                try DualLoRAKernel.addGradients(
                    of: gradient, b: factors.b, a: factors.a, d: factors.d, c: factors.c,
                    scale: 0.5, clip: (1, atUpdate: false),
                    to: (sums[0], sums[1], sums[2], sums[3]), forming: blocks[1], onto: weight)
                try HiRAKernel.form(
                    blocks[2], weight: weight, b: factors.b, a: factors.a, addsWeight: true)
                try HiRAKernel.addGradients(
                    of: gradient, weight: weight, b: factors.b, a: factors.a,
                    to: (sums[4], sums[5]), forming: blocks[3], addsWeight: true)
                return blocks + sums
            }
            for (found, expected) in try zip(run(weight), run(numbers)) {
                #expect(try found.isIdentical(to: expected))
            }
        }
    }
}
