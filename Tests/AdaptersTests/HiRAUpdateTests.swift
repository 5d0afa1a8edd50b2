import DualModules
import DualTorch
import TestSupport
import Testing

@testable import DualAdapters

/// The update formed block by block, and in registers, against the definition as a plain expression.
@Suite(.serialized) struct HiRAUpdateTests {
    /// d, k, r.
    static let shapes = [
        [1, 1, 1], [7, 5, 3], [33, 17, 8], [50, 97, 13], [64, 48, 16], [130, 1030, 21],
        [515, 40, 32],
    ]

    /// x, g, W₀, A and B of a layer.
    private struct Given {
        let x, seed, weight, a, b: Tensor
        var isWeightApart = false
    }

    private func given(
        _ shape: [Int], _ dtype: DType = .float32, weight: DType? = nil, transposed: Bool = false,
        isWeightApart: Bool = false
    ) throws -> Given {
        let (d, k, r) = (shape[0], shape[1], shape[2])
        let stored = weight ?? dtype
        return Given(
            x: try .seeded([2, 9, k], seed: 1, dtype: dtype),
            seed: try .seeded([2, 9, d], seed: 2, dtype: dtype),
            weight: transposed
                ? try Tensor.seeded([k, d], seed: 3, dtype: stored).transposed()
                : try Tensor.seeded([d, k], seed: 3, dtype: stored),
            a: try .seeded([r, k], seed: 5, deviation: 0.3),
            b: try .seeded([d, r], seed: 6, deviation: 0.3), isWeightApart: isWeightApart)
    }

    /// The output and the gradients at x, A, B.
    private func results(_ given: Given, blockBytes: Int = 16 << 20) throws -> [Tensor] {
        let leaves = try [given.x, given.a, given.b].map { try $0.detached().requireGradient() }
        let update = HiRAUpdate(a: leaves[1], b: leaves[2], weight: .plain(given.weight))
        let output = try leaves[0].linear(
            through: update, weight: given.isWeightApart ? nil : .plain(given.weight),
            bias: bias(given),
            outputSize: given.weight.size(0), blockBytes: blockBytes)
        return try [output]
            + output.gradients(with: leaves, seed: given.seed).map { try #require($0) }
    }

    /// The same by the definition in float64, of the same numbers.
    private func definition(_ given: Given) throws -> [Tensor] {
        let leaves = try [given.x, given.a, given.b].map {
            try $0.detached().to(.float64).requireGradient()
        }
        let adapter = HiRALayer(down: leaves[1], up: leaves[2], dropout: 0)
        let weight = try given.weight.to(.float64)
        let change = try adapter.weightUpdate(for: Linear(path: "x", weight: weight))
        let output = try leaves[0].linear(
            given.isWeightApart ? change : weight + change, bias: bias(given).to(.float64))
        return try [output]
            + output.gradients(with: leaves, seed: given.seed.to(.float64)).map {
                try #require($0)
            }
    }

    private func bias(_ given: Given) throws -> Tensor {
        try .seeded([given.weight.size(0)], seed: 4, dtype: given.x.dtype)
    }

    private func check(_ given: Given, blockBytes: Int = 16 << 20) throws {
        // A number is rounded to bfloat16, by 2^-8 at most, up to three times.
        let tolerance = given.x.dtype == .bfloat16 ? 8e-3 : 1e-5
        let found = try results(given, blockBytes: blockBytes)
        for (found, right) in zip(found, try definition(given)) {
            let distance = try (found.to(.float64) - right).norm().item()
            #expect(try distance <= tolerance * right.norm().item())
        }
    }

    @Test(
        "Values and gradients are the definition's, whatever the types of x and of the weight",
        arguments: shapes, [DType.float32, .bfloat16])
    func types(shape: [Int], weight: DType) throws {
        for dtype in [DType.float32, .bfloat16] { try check(given(shape, dtype, weight: weight)) }
    }

    @Test("Every instruction set gives the same", arguments: InstructionSet.allCases, shapes)
    func everyInstructionSet(set: InstructionSet, shape: [Int]) throws {
        for dtype in [DType.float32, .bfloat16] {
            let given = try given(shape, dtype)
            try set.limiting { try check(given) }
        }
    }

    @Test("Any size of block gives the same", arguments: [1, 700, 5000, 20000])
    func blocks(bytes: Int) throws {
        for shape in Self.shapes {
            let given = try given(shape)
            let whole = try results(given)
            for (part, whole) in zip(try results(given, blockBytes: bytes), whole) {
                let distance = try (part - whole).norm().item()
                #expect(try distance <= 1e-6 * whole.norm().item())
            }
        }
    }

    @Test(
        "Weights that are kept transposed, and the update without a weight", arguments: shapes,
        [DType.float32, .bfloat16])
    func transposed(shape: [Int], dtype: DType) throws {
        for isTransposed in [false, true] {
            for isApart in [false, true] {
                try check(
                    given(shape, dtype, transposed: isTransposed, isWeightApart: isApart),
                    blockBytes: 3000)
            }
        }
    }

    // In a process of its own: the number of threads is everyone's.
    @Test("One thread, and more threads than cores, give the same")
    func threads() async {
        await #expect(processExitsWith: .success) {
            let tests = HiRAUpdateTests()
            for count in [1, 3, 16] {
                try TorchRuntime.setThreads(count)
                for shape in HiRAUpdateTests.shapes { try tests.check(tests.given(shape)) }
            }
        }
    }

    @Test("A merged weight is, bit for bit, what the layer multiplied with", arguments: shapes)
    func merging(shape: [Int]) throws {
        for isTransposed in [false, true] {
            let given = try given(shape, .bfloat16, transposed: isTransposed)
            let update = HiRAUpdate(a: given.a, b: given.b, weight: .plain(given.weight))
            let weight = try update.formed(onto: .plain(given.weight))
            #expect(weight.strides == given.weight.strides)
            try weight.checkRowBlocks(of: update, onto: given.weight)
            let product = try given.b.to(.float64).matmul(given.a.to(.float64))
            let exact = try given.weight.to(.float64) * (product + 1)
            // Half a step of bfloat16, and what float32 loses in the product.
            let distance = try (weight.to(.float64) - exact).magnitude()
            #expect(try (distance - exact.magnitude() * 0.00392).maximum().item() < 1e-5)
            let none = HiRAUpdate(
                a: given.a, b: try .zeros(like: given.b), weight: .plain(given.weight))
            #expect(try none.formed(onto: .plain(given.weight)).isIdentical(to: given.weight))
        }
    }

    // In a process of its own: the count is everyone's.
    @Test("Only x and the factors are kept for the backward")
    func memory() async {
        await #expect(processExitsWith: .success) {
            let tests = HiRAUpdateTests()
            let given = try tests.given([300, 200, 8])
            for tensor in [given.x, given.a, given.b] { try tensor.requireGradient() }
            let update = HiRAUpdate(a: given.a, b: given.b, weight: .plain(given.weight))
            func run() throws -> Tensor {
                try given.x.linear(
                    through: update, weight: .plain(given.weight), bias: nil, outputSize: 300)
            }
            _ = try run()
            let before = TorchRuntime.liveTensors
            let output = try run()
            // The output, and x as the backward reads it; the room for blocks was there before.
            #expect(TorchRuntime.liveTensors - before <= 2)
            withExtendedLifetime(output) {}
        }
    }
}
