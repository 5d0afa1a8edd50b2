import DualModules
import DualTorch
import TestSupport
import Testing

@testable import DualAdapters

@Suite(.serialized) struct RandLoRATests {
    /// d, k, r and the largest layer's d and k: more outputs than inputs, fewer, as many; one base;
    /// ranks that do not divide; bases that are cut.
    static let shapes = [
        [9, 4, 2, 9, 4], [4, 9, 2, 4, 9], [6, 6, 4, 6, 6], [5, 7, 40, 5, 7], [70, 33, 5, 80, 90],
        [33, 70, 5, 90, 33], [1, 3, 2, 3, 3], [3, 1, 2, 3, 5],
    ]

    private func bases(_ shape: [Int], _ kind: RandomBases.Kind = .dense) throws -> RandomBases {
        let (small, large) = try RandomBases.draw(
            kind, rank: shape[2], outputSize: shape[3], inputSize: shape[4],
            using: Generator(seed: 3))
        return RandomBases(small: try small.to(.float64), large: try large.to(.float64))
    }

    /// λ and γ that have left their start.
    private func update(
        _ shape: [Int], in dtype: DType = .float64
    ) throws -> RandomBasesUpdate {
        let q = min(shape[0], shape[1])
        let count = RandomBases.count(q, rank: shape[2])
        let bases = try bases(shape)
        return RandomBasesUpdate(
            bases: RandomBases(small: try bases.small.to(dtype), large: try bases.large.to(dtype)),
            lambda: try .seeded([shape[2], count], seed: 1, deviation: 0.5, dtype: dtype),
            gamma: try .seeded([count, q], seed: 2, deviation: 0.5, dtype: dtype),
            outputSize: shape[0], inputSize: shape[1], scale: 1.5)
    }

    /// ΔW with PEFT's pairs, sum by sum: F's row i N + n meets B's column n' r + i' of the same number.
    private func plain(_ shape: [Int], _ update: RandomBasesUpdate) throws -> PlainMatrix {
        let (p, q, r) = (max(shape[0], shape[1]), min(shape[0], shape[1]), shape[2])
        let count = RandomBases.count(q, rank: r)
        let small = try PlainMatrix(update.bases.small.reshaped(r, -1))
        let (lambda, gamma) = (try PlainMatrix(update.lambda), try PlainMatrix(update.gamma))
        let size = update.bases.large.size(1)
        let large = try PlainMatrix(update.bases.large.reshaped(-1, size * r))
        let change = PlainMatrix(p, q) { row, column in
            (0..<count * r).reduce(0) { sum, index in
                let (i, n) = (index / count, index % count)
                return sum + 1.5 * large[row, index] * lambda[i, n] * small[i, column]
                    * gamma[n, column]
            }
        }
        return shape[1] <= shape[0] ? change : change.transposed
    }

    /// The output, and the gradients at x, λ and γ.
    private func results(
        _ update: RandomBasesUpdate, _ shape: [Int], formed: Bool, blockBytes: Int = 1 << 20,
        in dtype: DType = .float64, isTransposed: Bool = false, hasWeight: Bool = true
    ) throws -> [Tensor] {
        let x = try Tensor.seeded([2, 3, shape[1]], seed: 5, dtype: dtype).requireGradient()
        var weight = try Tensor.seeded([shape[0], shape[1]], seed: 6, dtype: dtype)
        if isTransposed { weight = try weight.transposed().contiguous().transposed() }
        let bias = hasWeight ? try Tensor.seeded([shape[0]], seed: 7, dtype: dtype) : nil
        let seed = try Tensor.seeded([2, 3, shape[0]], seed: 8, dtype: dtype)
        for factor in update.factors { try factor.requireGradient() }
        let given = hasWeight ? StoredWeight.plain(weight) : nil
        let output =
            formed
            ? try x.linear(
                through: update, weight: given, bias: bias, outputSize: shape[0],
                blockBytes: blockBytes)
            : try x.linear(beside: update, weight: given, bias: bias, outputSize: shape[0])
        return try [output]
            + output.gradients(with: [x] + update.factors, seed: seed).map { try #require($0) }
    }

    /// The same by autograd of the definition.
    private func definition(
        _ update: RandomBasesUpdate, _ x: Tensor, _ weight: Tensor, _ bias: Tensor, _ shape: [Int]
    ) throws -> [Tensor] {
        let leaves = try [x, update.lambda, update.gamma].map {
            try $0.detached().requireGradient()
        }
        let layer = RandLoRALayer(
            update.bases, lambda: leaves[1], gamma: leaves[2], scale: 1.5, dropout: 0)
        let change = try layer.weightUpdate(for: Linear(path: "x", weight: weight))
        let output = try leaves[0].linear(weight + change, bias: bias)
        let seed = try Tensor.seeded([2, 3, shape[0]], seed: 8, dtype: .float64)
        return try [output]
            + output.gradients(with: leaves, seed: seed).map { try #require($0) }
    }

    @Test(
        "Both ways are x (W₀ + ΔW)ᵀ + b with PEFT's pairs, and so are gradients", arguments: shapes)
    func everyShape(shape: [Int]) throws {
        let update = try update(shape)
        let change = try plain(shape, update).tensor()
        let x = try Tensor.seeded([2, 3, shape[1]], seed: 5, dtype: .float64)
        let weight = try Tensor.seeded([shape[0], shape[1]], seed: 6, dtype: .float64)
        let bias = try Tensor.seeded([shape[0]], seed: 7, dtype: .float64)
        let reference = try definition(update, x, weight, bias, shape)
        #expect(
            try reference[0].isClose(to: x.linear(weight + change, bias: bias), absolute: 1e-10))
        for formed in [true, false] {
            for isTransposed in [true, false] {
                // Blocks of a row or a few.
                let found = try results(
                    update, shape, formed: formed, blockBytes: 300, isTransposed: isTransposed)
                for (found, right) in zip(found, reference) {
                    #expect(try found.isClose(to: right, absolute: 1e-10))
                }
            }
            let alone = try results(update, shape, formed: formed, hasWeight: false)[0]
            #expect(try alone.isClose(to: x.linear(change), absolute: 1e-10))
        }
    }

    @Test(
        "In float32 and bfloat16 both ways are near to float64", arguments: shapes, [true, false])
    func precision(shape: [Int], formed: Bool) throws {
        for (dtype, tolerance) in [(DType.float32, 3e-6), (.bfloat16, 4e-2)] {
            let found = try results(update(shape, in: .float32), shape, formed: formed, in: dtype)
            let right = try results(update(shape), shape, formed: formed)
            for (found, right) in zip(found, right) {
                let distance = try (found.to(.float64) - right).norm().item()
                #expect(try distance <= tolerance * right.norm().item())
            }
        }
    }

    @Test("The update has full rank", arguments: shapes)
    func rank(shape: [Int]) throws {
        let base = Linear(
            path: "x", weight: try .seeded([shape[0], shape[1]], seed: 1, dtype: .float64))
        let layer = try #require(
            try RandLoRA(rank: shape[2]).makeAdapter(for: base, using: Generator(seed: 1))
                as? RandLoRALayer)
        for tensor in [layer.lambda, layer.gamma] {
            try tensor.copy(from: .seeded(tensor.shape, seed: 2, dtype: .float64))
        }
        let values = try callOperator(
            "aten::linalg_matrix_rank", [.tensor(layer.weightUpdate(for: base)), 1e-9])
        guard case .tensor(let rank)? = values.first else {
            Issue.record("no rank")
            return
        }
        #expect(try rank.item() == Double(min(shape[0], shape[1])))
    }

    @Test("Bases have a deviation of 1, and sparse ones the values that they should have")
    func draws() throws {
        for kind in [RandomBases.Kind.dense, .sparse, .verySparse] {
            let (small, large) = try RandomBases.draw(
                kind, rank: 8, outputSize: 100, inputSize: 64, using: Generator(seed: 1))
            #expect(small.shape == [8, 1, 64] && large.shape == [100, 8, 8])
            for values in [small, large] {
                #expect(abs(try values.standardDeviation().item() - 1) < 4e-3)
            }
            guard kind != .dense else { continue }
            let values: [Double] = try large.array()
            #expect(Set(values.map(abs)).count == 2 && values.contains { $0 < 0 })
            let share = Double(values.count { $0 != 0 }) / Double(values.count)
            #expect(abs(share - (kind == .sparse ? 1.0 / 3 : 1.0 / 8)) < 0.02)
        }
    }

    @Test("Bases of so few numbers that they have no deviation are refused")
    func alike() throws {
        let text = message {
            _ = try RandomBases.draw(
                .dense, rank: 1, outputSize: 3, inputSize: 1, using: Generator(seed: 1))
        }
        #expect(text.hasPrefix("`rank` for randlora: the 1 random numbers of the bases are all"))
    }

    @Test("ΔW is formed for many tokens, and a path for few of a large layer")
    func choice() throws {
        func isFormed(_ d: Int, _ k: Int, _ tokens: Int) throws -> Bool {
            let count = RandomBases.count(min(d, k), rank: 32)
            let none = try Tensor.zeros([1])
            return RandomBasesUpdate(
                bases: RandomBases(small: none, large: none), lambda: try .zeros([32, count]),
                gamma: none, outputSize: d, inputSize: k, scale: 1
            ).isCheaperFormed(tokens: tokens)
        }
        #expect(try isFormed(768, 768, 1024))
        #expect(try isFormed(1024, 1024, 1024))
        #expect(try !isFormed(2048, 2048, 1024))
        #expect(try !isFormed(4096, 4096, 1024))
        #expect(try isFormed(4096, 4096, 16_384))
        #expect(try !isFormed(768, 768, 1))
        #expect(try !isFormed(11_008, 4096, 1024))
    }

    @Test("The default scale is PEFT's, at any rank")
    func scale() throws {
        #expect(RandLoRA().alpha == 640)
        #expect(try RandLoRA(["rank": "8"]).alpha == 160)
        #expect(try RandLoRA(["rank": "8", "alpha": "3"]).alpha == 3)
    }

    // In a process of its own: the count is everyone's.
    @Test("A step leaves nothing", arguments: [true, false])
    func leftovers(formed: Bool) async {
        await #expect(processExitsWith: .success) { [formed] in
            let tests = RandLoRATests()
            for shape in [[70, 33, 5, 70, 33], [33, 70, 5, 33, 70]] {
                let update = try tests.update(shape, in: .float32)
                func run() throws -> [Tensor] {
                    try tests.results(update, shape, formed: formed, in: .float32)
                }
                _ = try run()
                let before = TorchRuntime.liveTensors
                for _ in 0..<3 { _ = try run() }
                #expect(TorchRuntime.liveTensors == before)
            }
        }
    }

    @Test(
        "A forward keeps its output, its input and an inner product at most",
        arguments: [true, false])
    func memory(formed: Bool) async {
        await #expect(processExitsWith: .success) { [formed] in
            let tests = RandLoRATests()
            for shape in [[120, 90, 5, 120, 90], [90, 120, 5, 90, 120]] {
                let update = try tests.update(shape, in: .float32)
                for factor in update.factors { try factor.requireGradient() }
                let weight = try Tensor.seeded([shape[0], shape[1]], seed: 6)
                let x = try Tensor.seeded([3, shape[1]], seed: 5).requireGradient()
                func run() throws -> Tensor {
                    formed
                        ? try x.linear(
                            through: update, weight: .plain(weight), bias: nil, outputSize: shape[0]
                        )
                        : try x.linear(
                            beside: update, weight: .plain(weight), bias: nil, outputSize: shape[0])
                }
                var outputs = [try run()]
                let live = TorchRuntime.liveTensors
                for _ in 0..<20 { outputs.append(try run()) }
                let kept = TorchRuntime.liveTensors - live
                #expect(kept <= 20 * 3, "\(kept)")
                #expect(outputs.count == 21)
            }
        }
    }
}
