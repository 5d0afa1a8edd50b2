import DualModules
import DualTorch
import TestSupport
import Testing

@testable import DualAdapters

/// What is special about Dual LoRA: its gradients, its signs, its ranks, its gate and its start.
@Suite struct DualLoRATests {
    /// The factors of a layer of d x k, in float64.
    private func factors(
        d: Int = 6, k: Int = 5, magnitude: Int = 3, direction: Int = 2, seed: UInt64 = 1
    ) throws -> [Tensor] {
        try [[magnitude, k], [d, magnitude], [direction, k], [d, direction]].enumerated().map {
            try Tensor.seeded($1, seed: seed &* 10 &+ UInt64($0), dtype: .float64)
        }
    }

    private func layer(
        _ factors: [Tensor], alpha: Double? = nil, gateSteps: Int? = 0
    ) throws -> DualLoRALayer {
        let method = DualLoRA(
            magnitudeRank: factors[0].size(0), directionRank: factors[2].size(0), alpha: alpha,
            gateSteps: gateSteps)
        return try DualLoRALayer(method, DualLoRAFactors(factors))
    }

    private func base(d: Int = 6, k: Int = 5) throws -> Linear {
        Linear(path: "x", weight: try .seeded([d, k], seed: 99, dtype: .float64))
    }

    private func update(_ factors: [Tensor]) throws -> Tensor {
        try layer(factors).weightUpdate(for: base(d: factors[1].size(0), k: factors[0].size(1)))
    }

    // MARK: - Gradients

    @Test("The hand-worked example comes out exactly, by the definition and by the layer")
    func goldenVector() throws {
        let values: [([Double], [Int])] = [
            ([1, -2, 0.5], [1, 3]), ([2, -1], [2, 1]), ([1, 1, -1], [1, 3]), ([1, -2], [2, 1]),
        ]
        let factors = try values.map { try Tensor($0.0, $0.1).requireGradient() }
        let layer = try layer(factors, alpha: 0.5)
        let base = Linear(path: "x", weight: try .zeros([2, 3], dtype: .float64))
        let gradient = try Tensor([0.5, 3, -5, 1, -0.5, 4], [2, 3])
        let update = try layer.weightUpdate(for: base)
        #expect(try update.array() == [1, 0, -0.5, 0, -1, 0])
        // With the unit matrix as input, G reaches the layer's output transposed.
        let unit = try PlainMatrix(3, 3) { $0 == $1 ? 1 : 0 }.tensor()
        let output = try layer(unit, through: base, mode: .inference)
        for (root, seed) in [(update, gradient), (output, try gradient.transposed())] {
            let found = try root.gradients(with: factors, seed: seed).map { try #require($0) }
            #expect(try found[0].array() == [0.5, -0.25, 5])
            #expect(try found[1].array() == [1.5, -0.5])
            #expect(try found[2].array() == [0.5, 1, -1])
            #expect(try found[3].array() == [1.5, -0.5])
        }
    }

    @Test(
        "The gradients are those of eq. 12 with eq. 7's clip, binding or not",
        arguments: [(1e-3, false), (1.0, true), (1e3, true)])
    func closedForm(_ size: Double, _ binds: Bool) throws {
        let factors = try factors().map { try $0.requireGradient() }
        let layer = try layer(factors, alpha: 3, gateSteps: 10)
        layer.prepare(step: 4, of: 20)
        let base = try base()
        let x = try Tensor.seeded([8, 5], seed: 30, dtype: .float64).requireGradient()
        let seed = try Tensor.seeded([8, 6], seed: 31, deviation: size, dtype: .float64)
        let output = try layer(x, through: base, mode: .inference)
        let found = try output.gradients(with: [x] + factors, seed: seed)

        let (a, b, c, d) = (
            try PlainMatrix(factors[0]), try PlainMatrix(factors[1]), try PlainMatrix(factors[2]),
            try PlainMatrix(factors[3])
        )
        let (input, delta) = (try PlainMatrix(x), try PlainMatrix(seed))
        let scale = 0.4 * 3 / (3.0 * 2).squareRoot()
        let (product, sign) = (b * a, (d * c).map { $0 > 0 ? 1.0 : -1 })
        let magnitude = product.map { max($0, 0) }
        let scaled = (delta.transposed * input).map { $0 * scale }
        let atProduct = scaled.combined(sign, *).combined(product) { $1 > 0 ? $0 : 0 }
        let unclipped = scaled.combined(magnitude, *)
        #expect(unclipped.values.contains { abs($0) > 1 } == binds)
        let atSign = unclipped.map { min(max($0, -1), 1) }
        let change = magnitude.combined(sign, *).map { $0 * scale }
        let weight = try PlainMatrix(base.weight.value).combined(change, +)
        let expected = [
            delta * weight, b.transposed * atProduct, atProduct * a.transposed,
            d.transposed * atSign, atSign * c.transposed,
        ]
        #expect(try output.isClose(to: (input * weight.transposed).tensor(), absolute: 1e-9))
        for (found, expected) in zip(found, expected) {
            let found = try #require(found)
            #expect(try found.isClose(to: expected.tensor(), absolute: 1e-9 * max(1, size)))
        }
    }

    @Test("The clip holds the gradient at the sign within ±1, element by element")
    func clip() throws {
        let z = try Tensor([0.5, -3, 0, 2]).requireGradient()
        let sign = try straightThroughSign(z)
        #expect(try sign.array() == [1.0, -1, -1, 1])
        let gradient = try sign.gradients(with: [z], seed: Tensor([0.5, -7, 7, -0.25]))[0]
        #expect(try gradient?.array() == [0.5, -1, 1, -0.25])
    }

    @Test("Only what needs a gradient gets one")
    func partialGradients() throws {
        let factors = try factors()
        try factors[1].requireGradient()
        let output = try layer(factors)(
            .ones([2, 5], dtype: .float64), through: base(), mode: .inference)
        try output.sum().backward()
        #expect(try factors[1].gradient() != nil)
        #expect(try factors[0].gradient() == nil)
    }

    @Test(
        "Magnitude factors at zero are a dead start: all four gradients are zero",
        arguments: [0, 1])
    func deadStart(_ place: Int) throws {
        var factors = try factors()
        factors[place] = try .zeros(like: factors[place])
        for factor in factors { try factor.requireGradient() }
        let x = try Tensor.seeded([4, 5], seed: 3, dtype: .float64)
        let output = try layer(factors)(x, through: base(), mode: .inference)
        for gradient in try output.squared().sum().gradients(with: factors) {
            #expect(try #require(gradient).norm().item() == 0)
        }
    }

    // MARK: - Signs

    @Test("The update has the direction's sign, and is zero where the magnitude is")
    func signPattern() throws {
        let factors = try factors(d: 20, k: 30)
        let product = try PlainMatrix(factors[1]) * PlainMatrix(factors[0])
        let direction = try PlainMatrix(factors[3]) * PlainMatrix(factors[2])
        let update = try PlainMatrix(update(factors))
        for (index, value) in update.values.enumerated() {
            if product.values[index] <= 0 {
                #expect(value == 0)
            } else {
                #expect((value > 0) == (direction.values[index] > 0))
                #expect(value != 0)
            }
        }
        let zeros = update.values.filter { $0 == 0 }.count
        #expect((150..<450).contains(zeros))
    }

    @Test(
        "The sign of zero is -1: with no direction the update is minus the magnitude",
        arguments: [2, 3])
    func signOfZero(_ place: Int) throws {
        var factors = try factors()
        factors[place] = try .zeros(like: factors[place])
        let magnitude = (try PlainMatrix(factors[1]) * PlainMatrix(factors[0])).map { max($0, 0) }
        // The default α makes the scale 2.
        #expect(
            try update(factors).isClose(to: magnitude.map { -2 * $0 }.tensor(), absolute: 1e-12))
    }

    @Test(
        "The direction has no scale: factors of two change no bit",
        arguments: [(8.0, 0.25), (0x1p-20, 0x1p30)])
    func directionScale(_ c: Double, _ d: Double) throws {
        let factors = try factors()
        let scaled = try [factors[0], factors[1], factors[2] * c, factors[3] * d]
        #expect(try update(scaled).isIdentical(to: update(factors)))
    }

    @Test("The magnitude has: factors of two multiply the update")
    func magnitudeScale() throws {
        let factors = try factors()
        let scaled = try [factors[0] * 4, factors[1] * 0.5, factors[2], factors[3]]
        #expect(try update(scaled).isIdentical(to: update(factors) * 2))
    }

    @Test("The opposite direction gives the opposite update", arguments: [2, 3])
    func negation(_ place: Int) throws {
        let factors = try factors()
        var negated = factors
        negated[place] = try -factors[place]
        #expect(try (update(negated) + update(factors)).norm().item() == 0)
        #expect(try update(factors).norm().item() > 1)
    }

    // MARK: - Ranks

    private func rank(_ matrix: Tensor, tolerance: Double = 1e-10) throws -> Int {
        guard
            case .tensor(let values)? = try callOperator("aten::linalg_svdvals", [.tensor(matrix)])
                .first
        else { return -1 }
        let all: [Double] = try values.array()
        return all.filter { $0 > tolerance * (all.max() ?? 0) }.count
    }

    @Test("With ranks of one, magnitude has rank two, direction one, and the update two")
    func lowRanks() throws {
        let factors = try factors(d: 24, k: 20, magnitude: 1, direction: 1)
        let magnitude = try factors[1].matmul(factors[0]).relu()
        #expect(try rank(magnitude) == 2)
        #expect(try rank(binarySign(factors[3].matmul(factors[2]))) == 1)
        #expect(try rank(update(factors)) == 2)
        let higher = try self.factors(d: 24, k: 20, magnitude: 1, direction: 4)
        #expect(try rank(higher[1].matmul(higher[0]).relu()) == 2)
        #expect(try rank(update(higher)) > 2)
    }

    @Test("With ranks of four, an update of 256 x 256 has full rank")
    func fullRank() throws {
        let factors = try factors(d: 256, k: 256, magnitude: 4, direction: 4)
        #expect(try rank(update(factors), tolerance: 1e-6) == 256)
    }

    // MARK: - Gate

    /// Gate steps, all steps, steps done, and the gate then.
    static let gates: [(Int?, Int, Int, Double)] = [
        (10, 100, 0, 0), (10, 100, 3, 0.3), (10, 100, 10, 1), (10, 100, 57, 1), (10, 100, 100, 1),
        (100, 4, 0, 0), (100, 4, 1, 0.25), (100, 4, 4, 1), (0, 100, 0, 1), (0, 100, 1, 1),
        (1, 5, 0, 0), (1, 5, 1, 1), (nil, 100, 0, 0), (nil, 100, 2, 0.25), (nil, 100, 8, 1),
    ]

    @Test(
        "The gate rises in a line to 1 over its steps, a short run's, or the warm-up's",
        arguments: gates)
    func gate(_ steps: Int?, _ total: Int, _ step: Int, _ expected: Double) throws {
        let layer = try layer(factors(), gateSteps: steps)
        layer.prepare(TrainingProgress(step: step, totalSteps: total, warmupSteps: 8))
        #expect(layer.gate == expected)
        let open = try self.layer(factors())
        let base = try base()
        #expect(
            try layer.weightUpdate(for: base).isClose(
                to: open.weightUpdate(for: base) * expected, absolute: 1e-12))
    }

    @Test(
        "An adapter that is not being trained has an open gate, and a saved one the gate that it had"
    )
    func savedGate() throws {
        let layer = try layer(factors(), gateSteps: 10)
        #expect(layer.gate == 1)
        layer.prepare(step: 4, of: 20)
        let fields = DualLoRA(gateSteps: 10).fields(of: [layer], seed: 0)
        #expect(fields["gate"] as? Double == 0.4)
        #expect(fields["peft_type"] == nil)
    }

    // MARK: - Start

    @Test(
        "The start is 2 % of the weight, for any rank, α and weight",
        arguments: [
            (8, 8, nil, 0.05), (1, 4, nil, 0.02), (16, 4, 1.0, 1), (32, 32, nil, 0.001),
        ] as [(Int, Int, Double?, Double)])
    func automaticStart(_ magnitude: Int, _ direction: Int, _ alpha: Double?, _ deviation: Double)
        throws
    {
        let weight = try Tensor.seeded([512, 384], seed: 5, deviation: deviation)
        let base = Linear(path: "x", weight: weight)
        let method = DualLoRA(magnitudeRank: magnitude, directionRank: direction, alpha: alpha)
        let adapter = try #require(
            try method.makeAdapter(for: base, using: Generator(seed: 6)) as? any WeightChange)
        let share = try adapter.weightUpdate(for: base).rootMeanSquare() / weight.rootMeanSquare()
        // The fewer the ranks, the more the mean square scatters from draw to draw.
        #expect(abs(share / 0.02 - 1) < (magnitude == 1 ? 0.15 : 0.06))
    }

    @Test("A given deviation is that of all four factors, and a zero weight gets 0.02")
    func givenStart() throws {
        let base = Linear(path: "x", weight: try .zeros([400, 300]))
        for (given, expected) in [(0.3, 0.3), (nil, 0.02)] as [(Double?, Double)] {
            let method = DualLoRA(initialDeviation: given)
            let adapter = try method.makeAdapter(for: base, using: Generator(seed: 6))
            for (_, value) in adapter.parameters {
                #expect(abs(try value.rootMeanSquare() / expected - 1) < 0.06)
                #expect(abs(try value.mean().item() / expected) < 0.1)
            }
        }
    }

    // MARK: - Options

    @Test("A rank is split in halves, and either of the two ranks stands for both")
    func ranks() throws {
        #expect(try DualLoRA([:]).magnitudeRank == 8)
        #expect(try DualLoRA([:]).scale == 2)
        let split = try DualLoRA(["rank": "32"])
        #expect((split.magnitudeRank, split.directionRank) == (16, 16))
        let one = try DualLoRA(["magnitude-rank": "3"])
        #expect((one.magnitudeRank, one.directionRank) == (3, 3))
        let both = try DualLoRA(["magnitude-rank": "2", "direction-rank": "18"])
        #expect((both.magnitudeRank, both.directionRank) == (2, 18))
        #expect(both.scale == 2)
        #expect(try DualLoRA(["rank": "8", "alpha": "6"]).scale == 1.5)
    }

    @Test("The counts are those of the paper's tables")
    func counts() throws {
        // RoBERTa-base, query and value of 12 layers: as many as LoRA of rank 16.
        let dual = 24 * DualLoRA().parameterCount(outputSize: 768, inputSize: 768)
        #expect(dual == 589_824)
        #expect(24 * LoRA(rank: 16).parameterCount(outputSize: 768, inputSize: 768) == dual)
        // LLaMA-7B, 13B and LLaMA3-8B: query, key, value, up and down of every layer, r1 = r2 = 16.
        func count(_ method: DualLoRA, blocks: Int, hidden: Int, keys: Int, inner: Int) -> Int {
            let layers = [(hidden, hidden), (keys, hidden), (keys, hidden), (inner, hidden)]
            return blocks
                * (layers + [(hidden, inner)]).reduce(0) {
                    $0 + method.parameterCount(outputSize: $1.0, inputSize: $1.1)
                }
        }
        let paper = DualLoRA(magnitudeRank: 16, directionRank: 16)
        #expect(count(paper, blocks: 32, hidden: 4096, keys: 4096, inner: 11008) == 56_098_816)
        #expect(count(paper, blocks: 40, hidden: 5120, keys: 5120, inner: 13824) == 87_818_240)
        #expect(count(paper, blocks: 32, hidden: 4096, keys: 1024, inner: 14336) == 56_623_104)
        // Setting 3 trains one group alone: table 5 has it at twice the rank.
        let fixed = DualLoRA(magnitudeRank: 32, variant: DualLoRAVariant(direction: .fixed))
        #expect(count(fixed, blocks: 32, hidden: 4096, keys: 4096, inner: 11008) == 56_098_816)
    }
}
