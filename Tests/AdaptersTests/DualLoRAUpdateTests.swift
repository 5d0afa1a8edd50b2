import DualModules
import DualTorch
import TestSupport
import Testing

@testable import DualAdapters

/// The update formed block by block, and in registers, against the definition as a plain expression.
@Suite(.serialized) struct DualLoRAUpdateTests {
    /// d, k, r₁, r₂.
    static let shapes = [
        [1, 1, 1, 1], [7, 5, 3, 2], [33, 17, 8, 8], [50, 97, 1, 13], [64, 48, 16, 16],
        [130, 1030, 5, 21], [515, 40, 32, 4],
    ]

    private func update(
        _ shape: [Int], _ rule: SignGradient = .clip, scale: Double = 1.5, dtype: DType = .float32
    ) throws -> DualLoRAUpdate {
        let (d, k, r1, r2) = (shape[0], shape[1], shape[2], shape[3])
        let factors = try [[r1, k], [d, r1], [r2, k], [d, r2]].enumerated().map {
            try Tensor.seeded($1, seed: 10 + UInt64($0), deviation: 0.3).to(dtype).requireGradient()
        }
        return DualLoRAUpdate(
            a: factors[0], b: factors[1], c: factors[2], d: factors[3], scale: scale,
            signGradient: rule)
    }

    /// x, g and W₀ of a layer.
    private func layer(
        _ shape: [Int], dtype: DType, gradient: Double = 1, transposed: Bool = false
    ) throws -> (x: Tensor, seed: Tensor, weight: Tensor) {
        let (d, k) = (shape[0], shape[1])
        let weight =
            transposed
            ? try Tensor.seeded([k, d], seed: 3, dtype: dtype).transposed()
            : try Tensor.seeded([d, k], seed: 3, dtype: dtype)
        return (
            try .seeded([2, 9, k], seed: 1, dtype: dtype),
            try .seeded([2, 9, d], seed: 2, deviation: gradient, dtype: dtype), weight
        )
    }

    /// The output and the gradients at x, A, B, C, D.
    private func results(
        _ layer: (x: Tensor, seed: Tensor, weight: Tensor), _ update: DualLoRAUpdate,
        isWeightApart: Bool = false, blockBytes: Int = 16 << 20
    ) throws -> [Tensor] {
        let x = try layer.x.detached().requireGradient()
        let bias = try Tensor.seeded([layer.weight.size(0)], seed: 4, dtype: layer.x.dtype)
        let output = try x.linear(
            through: update, weight: isWeightApart ? nil : .plain(layer.weight), bias: bias,
            outputSize: layer.weight.size(0), blockBytes: blockBytes)
        let leaves = [x] + update.factors
        return try [output]
            + output.gradients(with: leaves, seed: layer.seed).map { try #require($0) }
    }

    /// The same by the definition in float64, of the same numbers.
    private func definition(
        _ layer: (x: Tensor, seed: Tensor, weight: Tensor), _ update: DualLoRAUpdate,
        isWeightApart: Bool = false
    ) throws -> [Tensor] {
        let method = DualLoRA(
            magnitudeRank: update.a.size(0), directionRank: update.c.size(0),
            alpha: update.scale * Double(update.a.size(0) * update.c.size(0)).squareRoot(),
            variant: DualLoRAVariant(signGradient: update.signGradient))
        let factors = try update.factors.map { try $0.detached().to(.float64).requireGradient() }
        let adapter = try DualLoRALayer(method, DualLoRAFactors(factors))
        let weight = try layer.weight.to(.float64)
        let change = try adapter.weightUpdate(for: Linear(path: "x", weight: weight))
        let x = try layer.x.to(.float64).requireGradient()
        let bias = try Tensor.seeded([weight.size(0)], seed: 4, dtype: layer.x.dtype).to(.float64)
        let output = try x.linear(isWeightApart ? change : weight + change, bias: bias)
        return try [output]
            + output.gradients(with: [x] + factors, seed: layer.seed.to(.float64)).map {
                try #require($0)
            }
    }

    private func check(_ found: [Tensor], _ right: [Tensor], within tolerance: Double) throws {
        for (found, right) in zip(found, right) {
            let distance = try (found.to(.float64) - right).norm().item()
            #expect(try distance <= tolerance * right.norm().item())
        }
    }

    @Test(
        "In float32 values and gradients are the definition's to 1e-5, by every rule that only clips",
        arguments: shapes, SignGradient.allCases.filter { $0.bound != nil })
    func float32(shape: [Int], rule: SignGradient) throws {
        for size in [0.01, 1, 100] {
            let layer = try layer(shape, dtype: .float32, gradient: size)
            let update = try update(shape, rule)
            try check(results(layer, update), definition(layer, update), within: 1e-5)
        }
    }

    @Test("In bfloat16 they are its to the rounding of the products", arguments: shapes)
    func bfloat16(shape: [Int]) throws {
        let layer = try layer(shape, dtype: .bfloat16)
        let update = try update(shape)
        try check(results(layer, update), definition(layer, update), within: 6e-3)
    }

    @Test("Every instruction set gives the same", arguments: InstructionSet.allCases, shapes)
    func everyInstructionSet(set: InstructionSet, shape: [Int]) throws {
        for (dtype, tolerance) in [(DType.float32, 1e-5), (.bfloat16, 6e-3)] {
            let layer = try layer(shape, dtype: dtype)
            let update = try update(shape)
            try set.limiting {
                try check(results(layer, update), definition(layer, update), within: tolerance)
            }
        }
    }

    @Test("Any size of block gives the same", arguments: [1, 700, 5000, 20000])
    func blocks(bytes: Int) throws {
        for shape in Self.shapes {
            let layer = try layer(shape, dtype: .float32)
            let update = try update(shape)
            let whole = try results(layer, update)
            for (part, whole) in zip(try results(layer, update, blockBytes: bytes), whole) {
                let distance = try (part - whole).norm().item()
                #expect(try distance <= 1e-6 * whole.norm().item())
            }
        }
    }

    @Test("Weights that are kept transposed, and the update without a weight", arguments: shapes)
    func transposed(shape: [Int]) throws {
        for (dtype, tolerance) in [(DType.float32, 1e-5), (.bfloat16, 6e-3)] {
            let update = try update(shape)
            let transposed = try layer(shape, dtype: dtype, transposed: true)
            try check(
                results(transposed, update, blockBytes: 3000), definition(transposed, update),
                within: tolerance)
            let plain = try layer(shape, dtype: dtype)
            try check(
                results(plain, update, isWeightApart: true),
                definition(plain, update, isWeightApart: true), within: tolerance)
        }
    }

    // In a process of its own: the number of threads is everyone's.
    @Test("One thread, and more threads than cores, give the same")
    func threads() async {
        await #expect(processExitsWith: .success) {
            let tests = DualLoRAUpdateTests()
            for count in [1, 3, 16] {
                try TorchRuntime.setThreads(count)
                for shape in DualLoRAUpdateTests.shapes {
                    let layer = try tests.layer(shape, dtype: .float32)
                    let update = try tests.update(shape)
                    try tests.check(
                        tests.results(layer, update), tests.definition(layer, update), within: 1e-5)
                }
            }
        }
    }

    @Test("A merged weight is, bit for bit, what the layer multiplied with", arguments: shapes)
    func merging(shape: [Int]) throws {
        for transposed in [false, true] {
            let layer = try layer(shape, dtype: .bfloat16, transposed: transposed)
            let update = try update(shape)
            let weight = try update.formed(onto: .plain(layer.weight))
            let change = try Tensor.empty([shape[0], shape[1]])
            try update.form(
                rows: 0..<shape[0], columns: 0..<shape[1], onto: nil, into: change)
            let sum = try (layer.weight.to(.float32) + change).to(.bfloat16)
            #expect(try weight.isIdentical(to: sum))
            try weight.checkRowBlocks(of: update, onto: layer.weight)
            // The plain expression sums in another order; a rare sign differs.
            let wide = try Tensor.empty([shape[0], shape[1]], dtype: .float64)
            try self.update(shape, dtype: .float64).form(
                rows: 0..<shape[0], columns: 0..<shape[1], onto: nil, into: wide)
            #expect(try change.isClose(to: wide, absolute: 1e-4))
        }
    }

    // In a process of its own: the count is everyone's.
    @Test("Only x and the factors are kept for the backward")
    func memory() async {
        await #expect(processExitsWith: .success) {
            let tests = DualLoRAUpdateTests()
            let shape = [300, 200, 8, 8]
            let layer = try tests.layer(shape, dtype: .float32)
            let update = try tests.update(shape)
            func run() throws -> Tensor {
                try layer.x.requireGradient().linear(
                    through: update, weight: .plain(layer.weight), bias: nil, outputSize: 300)
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
