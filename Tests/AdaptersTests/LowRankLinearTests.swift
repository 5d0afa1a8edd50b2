import DualModules
import DualTorch
import TestSupport
import Testing

@testable import DualAdapters

/// LoRA's path through one operator each way, against the definition in float64.
@Suite(.serialized) struct LowRankLinearTests {
    /// Tokens, d, k, r.
    static let shapes = [
        [1, 1, 1, 1], [3, 7, 5, 2], [50, 33, 17, 8], [97, 64, 300, 16], [130, 515, 40, 21],
        [49, 16, 32, 48],
    ]

    /// x, x', the gradient at the output, W₀, b, A and B.
    private func given(_ shape: [Int], _ dtype: DType) throws -> [Tensor] {
        let (T, d, k, r) = (shape[0], shape[1], shape[2], shape[3])
        let sizes = [[1, T, k], [1, T, k], [1, T, d], [d, k], [d], [r, k], [d, r]]
        return try sizes.enumerated().map { index, size in
            try Tensor.seeded(
                size, seed: UInt64(index), deviation: 0.5, dtype: index < 5 ? dtype : .float32)
        }
    }

    /// The output, and the gradients at x, x' if it is another, A and B.
    private func results(
        _ given: [Tensor], isApart: Bool, in dtype: DType? = nil
    ) throws -> [Tensor] {
        let given = try given.map { try dtype.map($0.to) ?? $0 }
        let leaves = try [given[0], given[1], given[5], given[6]].map {
            try $0.detached().requireGradient()
        }
        let layer = LowRankLinear(
            weight: given[3], bias: given[4], down: leaves[2], up: leaves[3], scale: 1.5)
        let output = try layer(leaves[0], pathInput: isApart ? leaves[1] : nil)
        let used = isApart ? leaves : [leaves[0], leaves[2], leaves[3]]
        return try [output]
            + output.gradients(with: used, seed: given[2]).map { try #require($0) }
    }

    private func check(_ shape: [Int], isApart: Bool) throws {
        for (dtype, tolerance) in [(DType.float32, 2e-6), (.bfloat16, 8e-3)] {
            let given = try given(shape, dtype)
            let found = try results(given, isApart: isApart)
            let right = try results(given, isApart: isApart, in: .float64)
            for (found, right) in zip(found, right) {
                let distance = try (found.to(.float64) - right).norm().item()
                #expect(try distance <= tolerance * right.norm().item())
            }
        }
    }

    @Test("Values and gradients are the definition's", arguments: shapes, [false, true])
    func everyShape(shape: [Int], isApart: Bool) throws {
        try check(shape, isApart: isApart)
    }

    @Test("Every instruction set gives the same", arguments: InstructionSet.allCases, shapes)
    func everyInstructionSet(set: InstructionSet, shape: [Int]) throws {
        try set.limiting { try check(shape, isApart: false) }
    }

    // In a process of its own: the number of threads is everyone's.
    @Test("One thread, and more threads than cores, give the same")
    func threads() async {
        await #expect(processExitsWith: .success) {
            let tests = LowRankLinearTests()
            for count in [1, 3, 16] {
                try TorchRuntime.setThreads(count)
                for shape in LowRankLinearTests.shapes {
                    try tests.check(shape, isApart: true)
                }
            }
        }
    }

    @Test("An update of zero changes no bit of the layer")
    func zero() throws {
        var given = try given([50, 33, 17, 8], .bfloat16)
        given[6] = try .zeros(like: given[6])
        let plain = try given[0].projected(by: given[3], bias: given[4])
        #expect(try results(given, isApart: false)[0].isIdentical(to: plain))
    }
}
