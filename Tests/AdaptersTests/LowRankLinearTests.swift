import DualModules
import DualTorch
import TestSupport
import Testing

@testable import DualAdapters

/// LoRA's path through one operator each way, with the layer's outputs scaled (DoRA's) or not, against the
/// definition in float64.
@Suite(.serialized) struct LowRankLinearTests {
    /// Tokens, d, k, r.
    static let shapes = [
        [1, 1, 1, 1], [3, 7, 5, 2], [50, 33, 17, 8], [97, 64, 300, 16], [130, 515, 40, 21],
        [49, 16, 32, 48],
    ]

    /// x, x', the gradient at the output, W₀, b, A, B and f.
    private func given(_ shape: [Int], _ dtype: DType) throws -> [Tensor] {
        let (T, d, k, r) = (shape[0], shape[1], shape[2], shape[3])
        let sizes = [[1, T, k], [1, T, k], [1, T, d], [d, k], [d], [r, k], [d, r], [d]]
        return try sizes.enumerated().map { index, size in
            try Tensor.seeded(
                size, seed: UInt64(index), deviation: 0.5, dtype: index < 5 ? dtype : .float32)
        }
    }

    /// The output, and the gradients at x, x' if it is another, b, A, B, and f if there is one.
    private func results(
        _ given: [Tensor], isApart: Bool, isScaled: Bool, in dtype: DType? = nil
    ) throws -> [Tensor] {
        let given = try given.map { try (dtype.map($0.to) ?? $0).detached().requireGradient() }
        let layer = LowRankLinear(
            weight: .plain(try given[3].detached()), bias: given[4],
            outputFactors: isScaled ? given[7] : nil, down: given[5], up: given[6], scale: 1.5)
        let output = try layer(given[0], pathInput: isApart ? given[1] : nil)
        let used = [0] + (isApart ? [1] : []) + [4, 5, 6] + (isScaled ? [7] : [])
        return try [output]
            + output.gradients(with: used.map { given[$0] }, seed: given[2].detached()).map {
                try #require($0)
            }
    }

    private func check(_ shape: [Int], isApart: Bool, isScaled: Bool = false) throws {
        for (dtype, tolerance) in [(DType.float32, 2e-6), (.bfloat16, 8e-3)] {
            let given = try given(shape, dtype)
            let found = try results(given, isApart: isApart, isScaled: isScaled)
            let right = try results(given, isApart: isApart, isScaled: isScaled, in: .float64)
            for (found, right) in zip(found, right) {
                let distance = try (found.to(.float64) - right).norm().item()
                #expect(try distance <= tolerance * right.norm().item())
            }
        }
    }

    @Test(
        "Scaled outputs and their gradients are the definition's", arguments: shapes, [false, true])
    func scaled(shape: [Int], isApart: Bool) throws {
        try check(shape, isApart: isApart, isScaled: true)
    }

    @Test("Values and gradients are the definition's", arguments: shapes, [false, true])
    func everyShape(shape: [Int], isApart: Bool) throws {
        try check(shape, isApart: isApart)
    }

    @Test("Every instruction set gives the same", arguments: InstructionSet.allCases, shapes)
    func everyInstructionSet(set: InstructionSet, shape: [Int]) throws {
        try set.limiting {
            for isScaled in [false, true] { try check(shape, isApart: false, isScaled: isScaled) }
        }
    }

    // In a process of its own: the number of threads is everyone's.
    @Test("One thread, and more threads than cores, give the same")
    func threads() async {
        await #expect(processExitsWith: .success) {
            let tests = LowRankLinearTests()
            for count in [1, 3, 16] {
                try TorchRuntime.setThreads(count)
                for shape in LowRankLinearTests.shapes {
                    for isScaled in [false, true] {
                        try tests.check(shape, isApart: true, isScaled: isScaled)
                    }
                }
            }
        }
    }

    @Test("An update of zero changes no bit of the layer")
    func zero() throws {
        var given = try given([50, 33, 17, 8], .bfloat16)
        given[6] = try .zeros(like: given[6])
        let plain = try given[0].projected(by: given[3], bias: given[4])
        #expect(try results(given, isApart: false, isScaled: false)[0].isIdentical(to: plain))
    }
}
