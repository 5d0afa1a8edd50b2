import DualModels
import DualModules
import DualTorch
import Foundation
import TestSupport
import Testing

@testable import DualAdapters

extension DualLoRAFactors {
    /// A, B, C and D.
    init(_ factors: [Tensor]) {
        self.init(a: factors[0], b: factors[1], .learned(c: factors[2], d: factors[3]))
    }
}

/// What is special about each variant of Dual LoRA.
@Suite struct DualLoRAVariantTests {
    // MARK: - Gradients

    /// A variant of the hand-worked example, and what it comes to: ΔW and the gradients at A to D.
    struct Golden: Sendable, CustomTestStringConvertible {
        let variant: DualLoRAVariant
        let update, atA, atB, atC, atD: [Double]
        var testDescription: String { "\(variant.magnitude) \(variant.signGradient.rawValue)" }

        init(
            _ rule: SignGradient, magnitude: MagnitudeFunction = .relu, _ update: [Double],
            _ gradients: [Double]...
        ) {
            variant = DualLoRAVariant(magnitude: magnitude, signGradient: rule)
            self.update = update
            (atA, atB, atC, atD) = (gradients[0], gradients[1], gradients[2], gradients[3])
        }
    }

    static let plain: ([Double], [Double], [Double]) = (
        [1, 0, -0.5, 0, -1, 0], [0.5, -0.25, 5], [1.5, -0.5]
    )
    static let goldens = [
        Golden(.clip, plain.0, plain.1, plain.2, [0.5, 1, -1], [1.5, -0.5]),
        Golden(.clipUpdate, plain.0, plain.1, plain.2, [0.5, 1, -0.5], [1, -0.5]),
        Golden(.identity, plain.0, plain.1, plain.2, [0.5, 1, -2.5], [3, -0.5]),
        Golden(.hardTanh, plain.0, plain.1, plain.2, [0.5, 0, -2.5], [3, 0]),
        Golden(
            .xnor, [1, 0, -0.5, 0, -2, 0], [0.5, -0.5, 5], [1.5, -1], [0.5, 1, -2.5], [3, -0.5]),
        Golden(
            .doReFa, [1.5, 0, -0.75, 0, -1.5, 0], [0.75, -0.375, 7.5], [2.25, -0.75],
            [0.5, 1, -2.5], [3, -0.5]),
        Golden(
            .clip, magnitude: .abs, [1, 2, -0.5, -0.5, -1, 0.25], [0, -3.25, 7], [4.5, -1],
            // P = clip([[.5, 6, -2.5], [.5, -.5, 1]], ±1) by hand.
            [-0.5, 2, -3], [2.5, -1]),
    ]

    @Test(
        "The hand-worked example comes out exactly, by the definition and by the layer",
        arguments: goldens)
    func goldenVector(_ row: Golden) throws {
        let values: [([Double], [Int])] = [
            ([1, -2, 0.5], [1, 3]), ([2, -1], [2, 1]), ([1, 1, -1], [1, 3]), ([1, -2], [2, 1]),
        ]
        let factors = try values.map { try Tensor($0.0, $0.1).requireGradient() }
        let method = DualLoRA(
            magnitudeRank: 1, directionRank: 1, alpha: 0.5, gateSteps: 0, variant: row.variant)
        let layer = try DualLoRALayer(method, DualLoRAFactors(factors))
        let base = Linear(path: "x", weight: try .zeros([2, 3], dtype: .float64))
        let gradient = try Tensor([0.5, 3, -5, 1, -0.5, 4], [2, 3])
        let update = try layer.weightUpdate(for: base)
        #expect(try update.array() == row.update)
        // With the unit matrix as input, G reaches the layer's output transposed.
        let unit = try PlainMatrix(3, 3) { $0 == $1 ? 1 : 0 }.tensor()
        let output = try layer(unit, through: base, mode: .inference)
        #expect(try output.transposed().contiguous().array() == row.update)
        for (root, seed) in [(update, gradient), (output, try gradient.transposed())] {
            let found = try root.gradients(with: factors, seed: seed).map { try #require($0) }
            for (found, expected) in zip(found, [row.atA, row.atB, row.atC, row.atD]) {
                #expect(try found.array() == expected)
            }
        }
    }

    static let everyVariant = MagnitudeFunction.allCases.flatMap { magnitude in
        SignGradient.allCases.map {
            DualLoRAVariant(magnitude: magnitude, signGradient: $0)
        }
            + [DirectionFunction.identity, .fixed].map {
                DualLoRAVariant(magnitude: magnitude, direction: $0)
            }
    }

    /// ω s and the tensors of a layer of 6 x 5.
    private struct Example {
        static let scale = 0.4 * 1.5
        let layer: DualLoRALayer
        let base: Linear
        let factors: [Tensor]

        init(_ variant: DualLoRAVariant, size: Double = 1, dtype: DType = .float64) throws {
            let isFixed = variant.direction == .fixed
            let method = DualLoRA(
                magnitudeRank: 3, directionRank: 2,
                alpha: 1.5 * (isFixed ? 3 : 6.0.squareRoot()), gateSteps: 10, variant: variant)
            let drawn = try [[3, 5], [6, 3], [2, 5], [6, 2]].enumerated().map {
                try Tensor.seeded($1, seed: 10 + UInt64($0), deviation: size, dtype: dtype)
            }
            factors = try (isFixed ? Array(drawn.prefix(2)) : drawn).map {
                try $0.requireGradient()
            }
            layer = try DualLoRALayer(
                method,
                isFixed
                    ? DualLoRAFactors(
                        a: drawn[0], b: drawn[1],
                        .fixed(seed: try .seeded([2], seed: 20)))
                    : DualLoRAFactors(drawn))
            layer.prepare(step: 4, of: 20)
            base = Linear(path: "x", weight: try .seeded([6, 5], seed: 99, dtype: dtype))
        }

        /// F, F', T and P of the definition, in plain Swift.
        func functions(
            _ variant: DualLoRAVariant, gradient: PlainMatrix
        ) throws -> (
            value: PlainMatrix, slope: PlainMatrix, turn: PlainMatrix, through: PlainMatrix
        ) {
            let product = try PlainMatrix(factors[1]) * PlainMatrix(factors[0])
            func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
            let (value, slope): (PlainMatrix, PlainMatrix) =
                switch variant.magnitude {
                case .relu: (product.map { max($0, 0) }, product.map { $0 > 0 ? 1 : 0 })
                case .abs: (product.map { abs($0) }, product.map { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 })
                case .sigmoid:
                    (product.map(sigmoid), product.map { sigmoid($0) * (1 - sigmoid($0)) })
                case .identity: (product, product.map { _ in 1 })
                }
            guard factors.count == 4 else {
                let whole = try FixedDirection(seed: .seeded([2], seed: 20), columns: 5)
                    .rows(0..<6, like: factors[0])
                return (value, slope, try PlainMatrix(whole), value)
            }
            let z = try PlainMatrix(factors[3]) * PlainMatrix(factors[2])
            let atSign = gradient.combined(value, *).map { $0 * Self.scale }
            func clip(_ x: Double) -> Double { min(max(x, -1), 1) }
            guard variant.direction == .sign else { return (value, slope, z, atSign) }
            let sign = z.map { $0 > 0 ? 1.0 : -1 }
            let whole = z.values.reduce(0) { $0 + abs($1) } / 30
            let turn: PlainMatrix =
                switch variant.signGradient {
                case .xnor:
                    PlainMatrix(6, 5) { row, column in
                        sign[row, column] * (0..<5).reduce(0) { $0 + abs(z[row, $1]) } / 5
                    }
                case .doReFa: sign.map { $0 * whole }
                default: sign
                }
            let through: PlainMatrix =
                switch variant.signGradient {
                case .clip: atSign.map(clip)
                case .clipUpdate:
                    gradient.map(clip).combined(value, *).map { $0 * Self.scale }
                case .hardTanh: atSign.combined(z) { abs($1) <= 1 ? $0 : 0 }
                default: atSign
                }
            return (value, slope, turn, through)
        }
    }

    @Test(
        "Values and gradients are those of the formulas, clips binding or not",
        arguments: everyVariant, [1e-2, 10.0])
    func closedForm(_ variant: DualLoRAVariant, _ size: Double) throws {
        let example = try Example(variant)
        let x = try Tensor.seeded([8, 5], seed: 30, dtype: .float64).requireGradient()
        let seed = try Tensor.seeded([8, 6], seed: 31, deviation: size, dtype: .float64)
        let output = try example.layer(x, through: example.base, mode: .inference)
        let found = try output.gradients(with: [x] + example.factors, seed: seed)

        let (input, delta) = (try PlainMatrix(x), try PlainMatrix(seed))
        let gradient = delta.transposed * input
        let (value, slope, turn, through) = try example.functions(variant, gradient: gradient)
        let update = value.combined(turn, *).map { $0 * Example.scale }
        let atProduct = gradient.combined(turn, *).combined(slope, *).map { $0 * Example.scale }
        let weight = try PlainMatrix(example.base.weight.value).combined(update, +)
        let factors = try example.factors.map { try PlainMatrix($0) }
        var expected = [
            delta * weight, factors[1].transposed * atProduct, atProduct * factors[0].transposed,
        ]
        if factors.count == 4 {
            expected += [factors[3].transposed * through, through * factors[2].transposed]
        }
        #expect(try output.isClose(to: (input * weight.transposed).tensor(), absolute: 1e-9))
        #expect(found.count == expected.count)
        for (found, expected) in zip(found, expected) {
            let found = try #require(found)
            #expect(try found.isClose(to: expected.tensor(), absolute: 1e-9 * max(1, size)))
        }
    }

    @Test("In float32 and bfloat16 a layer is what it is in float64", arguments: everyVariant)
    func types(_ variant: DualLoRAVariant) throws {
        func results(_ dtype: DType, _ factors: DType) throws -> [Tensor] {
            let example = try Example(variant, dtype: factors)
            let base = Linear(
                path: "x", weight: try example.base.weight.value.to(.bfloat16).to(dtype))
            let x = try Tensor.seeded([8, 5], seed: 30).to(.bfloat16).to(dtype).requireGradient()
            let seed = try Tensor.seeded([8, 6], seed: 31).to(.bfloat16).to(dtype)
            let output = try example.layer(x, through: base, mode: .inference)
            return try [output]
                + output.gradients(with: [x] + example.factors, seed: seed).map {
                    try #require($0)
                }
        }
        let right = try results(.float64, .float64)
        for (dtype, tolerance) in [(DType.float32, 1e-5), (.bfloat16, 2e-2)] {
            for (found, right) in zip(try results(dtype, .float32), right) {
                let distance = try (found.to(.float64) - right).norm().item()
                #expect(try distance <= tolerance * right.norm().item())
            }
        }
    }

    @Test(
        "Any block and a weight that is kept transposed give the same", arguments: everyVariant)
    func blocks(_ variant: DualLoRAVariant) throws {
        let factors = try [[3, 40], [50, 3], [2, 40], [50, 2]].enumerated().map {
            try Tensor.seeded($1, seed: UInt64($0), dtype: .float64).requireGradient()
        }
        let parts =
            variant.direction == .fixed
            ? DualLoRAFactors(
                a: factors[0], b: factors[1],
                .fixed(seed: try .seeded([2], seed: 20)))
            : DualLoRAFactors(factors)
        let update = try PlainDualLoRAUpdate(parts, variant, scale: 0.7)
        let whole = UpdateSinceStart(
            update: update,
            start: try PlainDualLoRAUpdate(parts.copied(), variant, scale: 0.3))
        let x = try Tensor.seeded([8, 40], seed: 30, dtype: .float64).requireGradient()
        let weight = try Tensor.seeded([40, 50], seed: 31, dtype: .float64).transposed()
        let seed = try Tensor.seeded([8, 50], seed: 32, dtype: .float64)
        func results(_ update: some FactoredUpdate, _ weight: Tensor, _ bytes: Int) throws
            -> [Tensor]
        {
            let output = try x.linear(
                through: update, weight: .plain(weight), bias: nil, outputSize: 50,
                blockBytes: bytes)
            return try [output]
                + output.gradients(with: [x] + update.factors, seed: seed).map {
                    try #require($0)
                }
        }
        func check(_ update: some FactoredUpdate) throws {
            let right = try results(update, weight.contiguous(), 1 << 20)
            for bytes in [1, 3000, 1 << 20] {
                for (found, right) in zip(try results(update, weight, bytes), right) {
                    #expect(try found.isClose(to: right, absolute: 1e-9))
                }
            }
            // Some columns alone are those of the whole.
            let room = try Tensor.empty([13, 9], dtype: .float64)
            try update.form(rows: 20..<33, columns: 7..<16, onto: nil, into: room)
            let all = try update.formed(onto: .plain(.zeros([50, 40], dtype: .float64)))
            let part = try all.slice(20..<33).slice(7..<16, along: 1)
            #expect(try room.isClose(to: part, absolute: 1e-12))
        }
        try check(update)
        try check(whole)
    }

    // In a process of its own: the count is everyone's.
    @Test("Only x and the factors are kept for the backward")
    func memory() async {
        await #expect(processExitsWith: .success) {
            for variant in DualLoRAVariantTests.everyVariant {
                let example = try Example(variant, dtype: .float32)
                let x = try Tensor.seeded([8, 5], seed: 30).requireGradient()
                func run() throws -> Tensor {
                    try example.layer(x, through: example.base, mode: .inference)
                }
                _ = try run()
                let before = TorchRuntime.liveTensors
                let output = try run()
                // The output, and x as the backward reads it.
                #expect(TorchRuntime.liveTensors - before <= 2)
                try output.sum().backward()
                for factor in example.factors + [x] { try factor.setGradient(nil) }
                withExtendedLifetime(output) {}
            }
        }
    }

    // MARK: - Magnitudes

    private func update(_ method: DualLoRA, _ factors: [Tensor]) throws -> Tensor {
        let base = Linear(
            path: "x",
            weight: try .zeros([factors[1].size(0), factors[0].size(1)], dtype: .float64))
        return try DualLoRALayer(method, DualLoRAFactors(factors)).weightUpdate(for: base)
    }

    private func factors(_ d: Int = 30, _ k: Int = 20, zero: Int? = nil) throws -> [Tensor] {
        try [[2, k], [d, 2], [3, k], [d, 3]].enumerated().map {
            let drawn = try Tensor.seeded($1, seed: 40 + UInt64($0), dtype: .float64)
            return $0 == zero ? try .zeros(like: drawn) : drawn
        }
    }

    private func method(_ variant: DualLoRAVariant) -> DualLoRA {
        DualLoRA(magnitudeRank: 2, directionRank: 3, gateSteps: 0, variant: variant)
    }

    @Test("No element is frozen by |M| or the sigmoid, and half of them are by ReLU")
    func frozenElements() throws {
        func share(_ magnitude: MagnitudeFunction) throws -> Double {
            let update = try update(method(DualLoRAVariant(magnitude: magnitude)), factors())
            return try update.equals(0).to(.float64).mean().item()
        }
        #expect(try abs(share(.relu) - 0.5) < 0.1)
        for magnitude in [MagnitudeFunction.abs, .sigmoid, .identity] {
            #expect(try share(magnitude) == 0)
        }
    }

    @Test(
        "Magnitude factors at zero are a dead start for all functions but the sigmoid and none",
        arguments: MagnitudeFunction.allCases, [0, 1])
    func deadStart(_ magnitude: MagnitudeFunction, _ place: Int) throws {
        let factors = try factors(zero: place).map { try $0.requireGradient() }
        let update = try update(method(DualLoRAVariant(magnitude: magnitude)), factors)
        let gradients = try (update - 1.0).squared().sum().gradients(with: factors)
        let lives = try gradients.contains { try #require($0).norm().item() > 0 }
        #expect(lives == (magnitude == .sigmoid || magnitude == .identity))
        // Half the scale, whose default is 2, everywhere.
        if magnitude == .sigmoid { #expect(try update.magnitude().mean().item() == 1) }
    }

    @Test("Without functions the update is a Hadamard product of rank r1 r2 at most")
    func hadamardProduct() throws {
        let settings = try #require(DualLoRAVariant.setting(0))
        let factors = try factors()
        let update = try update(method(settings), factors)
        let product = try factors[1].matmul(factors[0]) * factors[3].matmul(factors[2])
        #expect(try update.isClose(to: product * 2, absolute: 1e-12))
        let values: [Double] = try update.singularValueDecomposition().values.array()
        #expect(values[5] > 1e-3 * values[0])
        #expect(values[6] < 1e-12 * values[0])
    }

    // MARK: - Directions

    @Test("Eq. 13 and 14 make the update as large as the direction, other rules do not")
    func directionScale() throws {
        let factors = try factors()
        let scaled = try [factors[0], factors[1], factors[2] * 4, factors[3]]
        for rule in SignGradient.allCases {
            let method = method(DualLoRAVariant(signGradient: rule))
            let factor = rule == .xnor || rule == .doReFa ? 4.0 : 1
            #expect(
                try update(method, scaled).isClose(
                    to: update(method, factors) * factor, absolute: 1e-11))
        }
    }

    @Test("A fixed direction has as many of both signs, another seed others, and any rows alone")
    func fixedDirection() throws {
        let like = try Tensor.zeros([1])
        let seeds = try [1, 2].map { try FixedDirection.drawSeed(using: Generator(seed: $0)) }
        for columns in [1, 63, 64, 65, 300] {
            let (first, second) = (
                try FixedDirection(seed: seeds[0], columns: columns),
                try FixedDirection(seed: seeds[1], columns: columns)
            )
            let whole = try first.rows(0..<400, like: like)
            #expect(try whole.magnitude().mean().item() == 1)
            let scatter = 4 / Double(400 * columns).squareRoot()
            #expect(try abs(whole.mean().item()) < scatter)
            #expect(try abs((whole * second.rows(0..<400, like: like)).mean().item()) < scatter)
            #expect(
                try first.rows(123..<170, like: like).isIdentical(
                    to: whole.slice(123..<170).contiguous()))
            // Neither rows nor columns are alike.
            let moved = try whole.slice(1..<400) * whole.slice(0..<399)
            #expect(try abs(moved.mean().item()) < scatter)
        }
        let row = try FixedDirection(seed: seeds[0], columns: 20_000).rows(5..<6, like: like)
        let shifted = try row.slice(64..<20_000, along: 1) * row.slice(0..<19_936, along: 1)
        #expect(try abs(shifted.mean().item()) < 0.03)
    }

    @Test("The signs of a fixed direction are these, on every machine")
    func fixedNumbers() throws {
        let direction = try FixedDirection(seed: Tensor([0.5 as Float, 0.25]), columns: 5)
        let signs: [Float] = try direction.rows(0..<2, like: .zeros([1])).array()
        var random = SplitMix64(seed: 0x3F00_0000_3E80_0000)
        let words = [random.next(), random.next()]
        let expected: [Float] = words.flatMap { word in
            (0..<5).map { (bit: Int) -> Float in word >> bit & 1 == 0 ? -1 : 1 }
        }
        #expect(signs == expected)
    }

    @Test("Setting 3 trains A and B alone, by α / r1, and any seed of a file is one")
    func settingThree() throws {
        let method = try DualLoRA(["setting": "3", "rank": "4", "alpha": "6"])
        #expect(method.magnitudeRank == 4)
        #expect(method.scale == 1.5)
        #expect(try DualLoRA(["setting": "3"]).scale == 2)
        let base = Linear(path: "x", weight: try .seeded([7, 5], seed: 1))
        let adapter = try method.makeAdapter(for: base, using: Generator(seed: 1))
        #expect(adapter.parameters.map(\.name) == ["dual_lora_A.weight", "dual_lora_B.weight"])
        #expect(try adapter.savedTensors().map(\.name).last == "dual_lora_seed")
        for seed in [[Float.nan, 0], [-1, .infinity]] {
            let signs = try FixedDirection(seed: Tensor(seed), columns: 5)
                .rows(0..<7, like: .zeros([1]))
            #expect(try signs.magnitude().mean().item() == 1)
        }
    }

    // MARK: - Starts

    @Test("The start is 2 % of the weight in every variant that σ decides", arguments: everyVariant)
    func automaticStart(_ variant: DualLoRAVariant) throws {
        let weight = try Tensor.seeded([512, 384], seed: 5, deviation: 0.05)
        let base = Linear(path: "x", weight: weight)
        let method = DualLoRA(magnitudeRank: 16, directionRank: 16, variant: variant)
        let adapter = try #require(
            try method.makeAdapter(for: base, using: Generator(seed: 6)) as? any WeightChange)
        let share = try adapter.weightUpdate(for: base).rootMeanSquare() / weight.rootMeanSquare()
        let decides =
            variant.magnitude != .sigmoid || variant.direction == .identity
            || variant.signGradient == .xnor || variant.signGradient == .doReFa
        #expect((abs(share / 0.02 - 1) < 0.15) == decides)
    }

    @Test(
        "What subtracts its start is the base, bit for bit, until it moves, with gradients at once",
        arguments: [DType.float32, .bfloat16], everyVariant)
    func subtractedStart(_ dtype: DType, _ variant: DualLoRAVariant) throws {
        let layer = Linear(path: "x", weight: try .seeded([70, 50], seed: 1, dtype: dtype))
        let method = DualLoRA(
            magnitudeRank: 3, directionRank: 2, alpha: 300, variant: variant,
            warmup: .subtractStart)
        let adapter = try method.makeAdapter(for: layer, using: Generator(seed: 2))
        let leaves = try adapter.parameters.map { try $0.value.requireGradient() }
        let x = try Tensor.seeded([9, 50], seed: 3, dtype: dtype)
        let base = try layer(x)
        layer.adapter = adapter
        let output = try layer(x)
        #expect(try output.isIdentical(to: base))
        #expect(try layer.mergedWeight().isIdentical(to: layer.weight.value))
        for gradient in try output.squared().sum().gradients(with: leaves) {
            #expect(try #require(gradient).norm().item() > 0)
        }
        try withoutGradient { _ = try leaves[0].add(.ones(leaves[0].shape), times: 50) }
        #expect(try layer(x).largestDifference(to: base) > 0.01)
    }

    @Test("A run that goes on has the start and the seed of its directions, which do not train")
    func state() throws {
        let base = Linear(path: "x", weight: try .seeded([7, 5], seed: 1))
        func state(_ options: MethodOptions) throws -> [String] {
            let adapter = try DualLoRA(options).makeAdapter(for: base, using: Generator(seed: 1))
            let saved = Set(try adapter.savedTensors().map(\.name))
            #expect(saved == Set((adapter.parameters + adapter.state).map(\.name)))
            return adapter.state.map(\.name)
        }
        let start = "ABCD".map { "dual_lora_\($0)_init.weight" }
        #expect(try state([:]) == [])
        #expect(try state(["warmup-mode": "subtract_init"]) == start)
        #expect(try state(["setting": "3"]) == ["dual_lora_seed"])
        #expect(
            try state(["setting": "3", "warmup-mode": "subtract_init"])
                == start.prefix(2) + ["dual_lora_seed"])
    }

    @Test("A saved adapter that subtracts its start has the start, and needs no seed")
    func savedStart() throws {
        let folder = try TemporaryFolder()
        for variant in [DualLoRAVariant(), .setting(3)].compactMap({ $0 }) {
            let (bert, other) = (try Bert.tiny(), try Bert.tiny())
            let method = DualLoRA(
                magnitudeRank: 2, directionRank: 2, variant: variant, warmup: .subtractStart)
            let set = try AdapterSet(
                method, targets: .names(["query"]), of: bert.slots, using: Generator(seed: 8))
            // Nothing has moved: loaded with any other start it would not be the base.
            try AdapterFolder.write(set, baseModel: "base", seed: 8, to: folder.url)
            _ = try AdapterFolder(folder.url).attach(to: other.slots)
            let batch = try TokenBatch.seeded(lengths: [6, 4])
            #expect(try other.logits(batch).isIdentical(to: Bert.tiny().logits(batch)))
        }
    }

    @Test("Only a gate has a gate")
    func gates() throws {
        for (warmup, expected) in [
            (DualLoRA.Warmup.gate, 0.25), (.subtractStart, 1), (.learningRateOnly, 1),
        ] {
            let method = DualLoRA(magnitudeRank: 2, directionRank: 3, warmup: warmup)
            let layer = try DualLoRALayer(method, DualLoRAFactors(factors()))
            layer.prepare(TrainingProgress(step: 2, totalSteps: 20, warmupSteps: 8))
            #expect(layer.gate == expected)
            #expect(method.fields(of: [layer], seed: 0)["gate"] as? Double == expected)
        }
    }

    // MARK: - Options

    @Test("A setting is its two functions")
    func settings() throws {
        let expected: [(MagnitudeFunction, DirectionFunction)] = [
            (.identity, .identity), (.identity, .sign), (.relu, .identity), (.relu, .fixed),
        ]
        for (number, functions) in expected.enumerated() {
            let method = try DualLoRA(["setting": "\(number)"])
            #expect(method.variant == DualLoRAVariant.setting(number))
            #expect(method.variant.magnitude == functions.0)
            #expect(method.variant.direction == functions.1)
            let spelled = try DualLoRA([
                "magnitude-fn": functions.0.rawValue, "direction-fn": functions.1.rawValue,
            ])
            #expect("\(spelled)" == "\(method)")
        }
    }

    @Test(
        "A start that no deviation makes small asks for an alpha, unless the update counts from there"
    )
    func sigmoidAsksForAlpha() throws {
        let cases: [(MethodOptions, Bool)] = [
            (["magnitude-fn": "sigmoid"], true),
            (["magnitude-fn": "sigmoid", "direction-fn": "fixed"], true),
            (["magnitude-fn": "sigmoid", "warmup-mode": "lr_only"], true),
            (["magnitude-fn": "sigmoid", "alpha": "0.01"], false),
            (["magnitude-fn": "sigmoid", "direction-fn": "identity"], false),
            (["magnitude-fn": "sigmoid", "sign-grad": "xnor"], false),
            (["magnitude-fn": "sigmoid", "warmup-mode": "subtract_init"], false),
            (["magnitude-fn": "abs"], false),
        ]
        for (options, asks) in cases {
            let text = message { _ = try DualLoRA(options) }
            #expect(asks ? text.contains("every element starts at 1, ") : text == "no error")
        }
        // What the line recommends starts at some per cent of a weight of the usual size.
        let layer = Linear(path: "x", weight: try .seeded([64, 96], seed: 1, deviation: 0.03))
        let method = try DualLoRA(["magnitude-fn": "sigmoid", "alpha": "0.01"])
        let adapter = try #require(
            try method.makeAdapter(for: layer, using: Generator(seed: 1)) as? DualLoRALayer)
        let share = try adapter.weightUpdate(for: layer).rootMeanSquare() / 0.03
        #expect(0.005...0.05 ~= share, "\(share)")
    }

    @Test("Every name of a function, a rule and a mode is understood")
    func names() throws {
        for name in ["ste_clip", "ste_clip_dw", "ste_identity", "ste_hardtanh", "xnor", "dorefa"] {
            #expect(try DualLoRA(["sign-grad": name]).variant.signGradient.rawValue == name)
        }
        for name in ["relu", "abs", "sigmoid", "identity"] {
            let method = try DualLoRA(["magnitude-fn": name, "alpha": "0.1"])
            #expect(method.variant.magnitude.rawValue == name)
        }
        for name in ["gate", "subtract_init", "lr_only"] {
            #expect(try DualLoRA(["warmup-mode": name]).warmup.rawValue == name)
        }
    }

    static let refusals: [(MethodOptions, String)] = [
        (["setting": "4"], "`setting` for dual-lora: '4' is none of 0, 1, 2, 3"),
        (["setting": "one"], "'one' is none of"),
        (["setting": "1", "magnitude-fn": "abs"], "give either it or `magnitude-fn`"),
        (["sign-grad": "ste"], "`sign-grad` for dual-lora: 'ste' is none of ste_clip, "),
        (["direction-fn": "identity", "sign-grad": "xnor"], "`sign-grad` for dual-lora: "),
        (["setting": "3", "direction-rank": "4"], "`direction-rank` for dual-lora: a fixed"),
        (["magnitude-fn": "cube"], "'cube' is none of relu, abs, sigmoid, identity"),
        (["direction-fn": "tanh"], "'tanh' is none of sign, identity, fixed"),
        (["warmup-mode": "slow"], "'slow' is none of gate, subtract_init, lr_only"),
        (["warmup-mode": "lr_only", "gate-steps": "4"], "`gate-steps` for dual-lora: with"),
    ]

    @Test("An option that makes no sense is refused by name", arguments: refusals)
    func refused(_ options: MethodOptions, _ words: String) throws {
        #expect(message { _ = try DualLoRA(options) }.contains(words))
    }
}
