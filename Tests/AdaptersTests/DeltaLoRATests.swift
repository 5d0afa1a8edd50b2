import DualModules
import DualTorch
import TestSupport
import Testing

@testable import DualAdapters

/// What is special about Delta-LoRA: a weight that moves, and never moves.
@Suite struct DeltaLoRATests {
    private static func base() throws -> Linear {
        Linear(path: "x", weight: try .seeded([9, 8], seed: 3, dtype: .float64))
    }

    private static func layer(_ method: DeltaLoRA, _ base: Linear) throws -> DeltaLoRALayer {
        let made = try method.makeAdapter(for: base, using: Generator(seed: 4))
        return try #require(made as? DeltaLoRALayer)
    }

    /// The inputs of a step, and what the outputs should be.
    private static func data(_ step: Int) throws -> (x: Tensor, goal: Tensor) {
        let x = try Tensor.seeded([6, 8], seed: 100 + UInt64(step), dtype: .float64)
        return (x, try x.linear(.seeded([9, 8], seed: 5, dtype: .float64)))
    }

    /// Algorithm 1 as it stands, with plain descent: the weight is a tensor that is added to.
    private struct Literal {
        var weight, down, up: Tensor
        let method: DeltaLoRA

        mutating func step(_ number: Int, rate: Double) throws -> Tensor {
            let (x, goal) = try DeltaLoRATests.data(number)
            let scale = method.alpha / Double(method.rank)
            let factors = try [down, up].map { try $0.detached().requireGradient() }
            let output = try x.linear(weight) + scale * x.linear(factors[0]).linear(factors[1])
            let gradients = try output.meanSquaredError(goal).gradients(with: factors)
            let before = try up.matmul(down)
            down = try down - rate * #require(gradients[0])
            up = try up - rate * #require(gradients[1])
            if number >= method.deltaStart {
                weight = try weight + method.deltaScale * scale * (up.matmul(down) - before)
            }
            return try output.detached()
        }
    }

    @Test(
        "What is added to the weight telescopes: outputs and factors are the algorithm's",
        arguments: [(2.0, 0), (2.0, 3), (0.5, 7), (2.0, 12), (2.0, 40)])
    func telescoping(_ share: Double, _ start: Int) throws {
        let method = DeltaLoRA(rank: 3, alpha: 2, deltaScale: share, deltaStart: start)
        let base = try Self.base()
        let layer = try Self.layer(method, base)
        var literal = Literal(
            weight: try base.weight.value, down: try layer.down.cloned(), up: try layer.up.cloned(),
            method: method)
        for factor in [layer.down, layer.up] { try factor.requireGradient() }
        let (rate, total) = (0.3, 12)
        for step in 0..<total {
            layer.prepare(step: step, of: total)
            let (x, goal) = try Self.data(step)
            let output = try layer(x, through: base, mode: .training(Generator(seed: 1)))
            let expected = try literal.step(step, rate: rate)
            #expect(try output.isClose(to: expected, absolute: 1e-9))
            let gradients = try output.meanSquaredError(goal).gradients(
                with: [layer.down, layer.up])
            try withoutGradient {
                try layer.down.add(#require(gradients[0]), times: -rate)
                try layer.up.add(#require(gradients[1]), times: -rate)
            }
        }
        layer.prepare(step: total, of: total)
        #expect(try layer.down.isClose(to: literal.down, absolute: 1e-9))
        #expect(try layer.up.isClose(to: literal.up, absolute: 1e-9))
        let merged = try withoutGradient { try layer.updatedWeight(for: base) }
        let whole = try literal.weight + 2.0 / 3 * literal.up.matmul(literal.down)
        #expect(try merged.isClose(to: whole, absolute: 1e-9))
        let moved = try literal.weight.largestDifference(to: base.weight.value)
        #expect((moved > 0.01) == (start < total))
    }

    @Test("Until its weight moves, and without λ, it is LoRA bit for bit", arguments: [0.0, 2])
    func isLoRA(_ share: Double) throws {
        let base = Linear(path: "x", weight: try .seeded([9, 8], seed: 3))
        let x = try Tensor.seeded([6, 8], seed: 6)
        let start = share == 0 ? 0 : 4
        let layer = try Self.layer(DeltaLoRA(rank: 3, deltaScale: share, deltaStart: start), base)
        try layer.up.copy(from: .seeded([9, 3], seed: 7))
        let lora = LoRALayer(down: layer.down, up: layer.up, scale: 2, dropout: 0)
        let leaves = [layer.down, layer.up]
        for leaf in leaves { try leaf.requireGradient() }
        for step in 0...5 {
            layer.prepare(step: step, of: 10)
            try withoutGradient { _ = try layer.up.multiply(by: 1.1) }
            let (output, plain) = (
                try layer(x, through: base, mode: .inference),
                try lora(x, through: base, mode: .inference)
            )
            let isSame = share == 0 || step <= start
            #expect(try output.isIdentical(to: plain) == isSame)
            let found = try output.squared().sum().gradients(with: leaves)
            let expected = try plain.squared().sum().gradients(with: leaves)
            for (found, expected) in zip(found, expected) {
                #expect(try #require(found).isIdentical(to: #require(expected)) == isSame)
            }
        }
    }

    @Test("The factors of step K are kept once, whatever is scored between the steps")
    func keptFactors() throws {
        let base = try Self.base()
        let layer = try Self.layer(DeltaLoRA(rank: 3, deltaStart: 2), base)
        func run() throws { _ = try layer(Self.data(0).x, through: base, mode: .inference) }
        for step in 0..<5 {
            layer.prepare(step: step, of: 5)
            try run()
            try layer.up.add(.ones([9, 3], dtype: .float64))
            if step == 2 { try run() }
        }
        #expect(try layer.startUp.mean().item() == 2)
        #expect(try layer.startDown.isIdentical(to: layer.down))
        #expect(layer.state.map(\.name) == ["delta_A.weight", "delta_B.weight"])
    }

    // In a process of its own: the count is everyone's.
    @Test("A step leaves nothing behind")
    func leaks() async {
        await #expect(processExitsWith: .success) {
            let base = try DeltaLoRATests.base()
            var method = DeltaLoRA(rank: 3)
            method.hasStarted = true
            let layer = try DeltaLoRATests.layer(method, base)
            for factor in [layer.down, layer.up] { try factor.requireGradient() }
            func step() throws {
                let x = try DeltaLoRATests.data(0).x
                _ = try layer(x, through: base, mode: .inference).squared().sum()
                    .gradients(with: [layer.down, layer.up])
            }
            try step()
            let before = TorchRuntime.liveTensors
            for _ in 0..<10 { try step() }
            #expect(TorchRuntime.liveTensors == before)
        }
    }

    @Test("Options that make no sense are refused, and a file says whether the weight has moved")
    func options() throws {
        let made = try DeltaLoRA(["rank": "4", "delta-scale": "0.5", "delta_start": "2000"])
        #expect((made.deltaScale, made.deltaStart) == (0.5, 2000))
        #expect(try (DeltaLoRA([:]).deltaScale, DeltaLoRA([:]).deltaStart) == (2, 500))
        for (options, words) in [
            (["delta-scale": "-1"], "`delta-scale` for delta-lora: -1.0 is not 0 or greater"),
            (["delta-scale": "nan"], "nan"), (["delta-start": "-1"], "-1 is negative"),
            (["dropout": "0.1"], "no such option"),
        ] as [(MethodOptions, String)] {
            #expect(message { _ = try DeltaLoRA(options) }.contains(words))
        }
        let layer = try Self.layer(DeltaLoRA(deltaStart: 3), Self.base())
        for (step, started) in [(3, false), (4, true)] {
            layer.prepare(step: step, of: 10)
            let fields = DeltaLoRA().fields(of: [layer], seed: 0)
            #expect(fields["delta_started"] as? Bool == started)
        }
    }
}
