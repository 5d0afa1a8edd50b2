import DualAdapters
import DualModels
import DualModules
import DualTorch
import Foundation
import TestSupport
import Testing
import ToyTasks

@testable import DualRuns
@testable import DualTraining

/// GaLore and GaRare: spaces, steps, memory, checkpoints.
@Suite struct ProjectedAdamTests {
    private static func projection(
        _ rank: Int, _ side: GradientProjection.Side = .standard, gap: Int = 3, scale: Double = 0.5,
        basis: GradientProjection.Basis = .singularVectors
    ) -> GradientProjection {
        GradientProjection(rank: rank, scale: scale, gap: gap, basis: basis, side: side)
    }

    private func gradient(_ shape: [Int], _ seed: Int) throws -> Tensor {
        try .seeded(shape, seed: UInt64(1000 + seed), dtype: .float64)
    }

    private func rank(_ matrix: Tensor) throws -> Int {
        let values: [Double] = try matrix.singularValueDecomposition().values.array()
        return values.filter { $0 > 1e-9 * (values.first ?? 0) }.count
    }

    /// Runs steps by given gradients on one weight; the weights after each.
    private func run(
        _ projection: GradientProjection, _ shape: [Int], steps: Int, rate: Double = 0.01,
        decay: Double = 0, seed: UInt64 = 1, name: String = "w",
        gradients: (Int) throws -> Tensor
    ) throws -> (weights: [Tensor], optimizer: ProjectedAdam) {
        let weight = try Tensor.seeded(shape, seed: 5, dtype: .float64)
        let group = AdamW.Group(
            tensors: [weight], names: [name], learningRate: rate, weightDecay: decay)
        let optimizer = try ProjectedAdam([group], projection, seed: seed)
        var weights = [try weight.cloned()]
        for step in 0..<steps {
            try weight.setGradient(gradients(step))
            try optimizer.step(factor: 1)
            weights.append(try weight.cloned())
        }
        return (weights, optimizer)
    }

    // MARK: - The space

    static let sides = GradientProjection.Side.allCases

    @Test("Each type projects the side that the reference projects", arguments: sides)
    func shapes(_ side: GradientProjection.Side) {
        let expected: [GradientProjection.Side: (tall: [Int], wide: [Int], even: [Int])] = [
            .standard: ([7, 2], [2, 7], [4, 2]), .reversed: ([2, 4], [4, 2], [2, 4]),
            .left: ([2, 4], [2, 7], [2, 4]), .right: ([7, 2], [4, 2], [4, 2]),
            .full: ([2, 2], [2, 2], [2, 2]),
        ]
        let found = [[7, 4], [4, 7], [4, 4]].map {
            ProjectionShape($0, Self.projection(2, side)).projected
        }
        #expect(found == expected[side].map { [$0.tall, $0.wide, $0.even] })
    }

    @Test(
        "At full rank a projected matrix comes back as it was", arguments: sides,
        [[7, 4], [4, 7], [4, 4]])
    func fullRank(_ side: GradientProjection.Side, _ shape: [Int]) throws {
        let projected = ProjectionShape(shape, Self.projection(9, side))
        #expect(projected.rank == 4)
        let matrix = try gradient(shape, 0)
        // The side that a thin space does not span whole is spanned where the matrix is.
        let space = try ProjectedSpace.ofSingularVectors(matrix, projected)
        #expect(
            try space.restore(space.project(matrix)).isClose(to: matrix, absolute: 1e-12))
    }

    @Test("A smaller space keeps the best approximation of its rank", arguments: sides)
    func bestApproximation(_ side: GradientProjection.Side) throws {
        let matrix = try gradient([7, 4], 0)
        let projected = ProjectionShape([7, 4], Self.projection(2, side))
        let space = try ProjectedSpace.ofSingularVectors(matrix, projected)
        let vectors = try matrix.singularValueDecomposition()
        let values = try vectors.values * Tensor([1.0, 1, 0, 0])
        let best = try (vectors.left * values).matmul(vectors.right)
        #expect(try space.restore(space.project(matrix)).isClose(to: best, absolute: 1e-12))
        if let left = space.left { #expect(try left.distanceFromOrthonormalColumns() < 1e-12) }
        if let right = space.right {
            #expect(try right.transposed().distanceFromOrthonormalColumns() < 1e-12)
        }
    }

    @Test("On average over random spaces a matrix comes back as it was")
    func unbiased() throws {
        let shape = ProjectionShape([16, 32], Self.projection(4, .right, basis: .random))
        let matrix = try gradient([16, 32], 0)
        let sum = try Tensor.zeros(like: matrix)
        let generator = try Generator(seed: 1)
        let draws = 10_000
        for _ in 0..<draws {
            let space = try ProjectedSpace.drawn(
                for: shape, isOrthonormal: false, like: matrix, using: generator)
            try sum.add(space.restore(space.project(matrix)), times: 1 / Double(draws))
        }
        let error = try (sum - matrix).norm().item() / matrix.norm().item()
        // √((k + 1) / r / draws) = 2.9 %, and not nothing.
        #expect(error < 0.05 && error > 0.01)
    }

    @Test("A random space is orthonormal where that is asked for", arguments: sides)
    func orthonormal(_ side: GradientProjection.Side) throws {
        let shape = ProjectionShape([7, 4], Self.projection(3, side))
        let space = try ProjectedSpace.drawn(
            for: shape, isOrthonormal: true, like: gradient([7, 4], 0), using: Generator(seed: 1))
        for columns in [space.left, try space.right?.transposed()].compactMap({ $0 }) {
            #expect(try columns.distanceFromOrthonormalColumns() < 1e-12)
        }
    }

    // MARK: - Steps

    /// The reference's AdamW in plain Swift, on a projected gradient that is given.
    private struct PlainMoments {
        var first: [Double]
        var second: [Double]
        var step = 0.0

        init(_ count: Int) {
            first = [Double](repeating: 0, count: count)
            second = first
        }

        /// What is projected back, its size included.
        mutating func update(_ gradient: [Double]) -> [Double] {
            step += 1
            return gradient.indices.map { index in
                first[index] = 0.9 * first[index] + 0.1 * gradient[index]
                second[index] = 0.999 * second[index] + 0.001 * gradient[index] * gradient[index]
                let size = (1 - pow(0.999, step)).squareRoot() / (1 - pow(0.9, step))
                return size * first[index] / (second[index].squareRoot() + 1e-6)
            }
        }
    }

    @Test(
        "Ten steps are those of the formulas, moments kept over three projections",
        arguments: sides, [[7, 4], [4, 7]])
    func formulas(_ side: GradientProjection.Side, _ shape: [Int]) throws {
        let projection = Self.projection(2, side)
        let (rate, decay) = (0.02, 0.1)
        let found = try run(projection, shape, steps: 10, rate: rate, decay: decay) {
            try self.gradient(shape, $0)
        }
        let projected = ProjectionShape(shape, projection)
        var moments = PlainMoments(projected.projected.reduce(1, *))
        var weight = try Tensor.seeded(shape, seed: 5, dtype: .float64)
        var space = try ProjectedSpace.ofSingularVectors(gradient(shape, 0), projected)
        for step in 0..<10 {
            let gradient = try gradient(shape, step)
            if step % 3 == 0 { space = try .ofSingularVectors(gradient, projected) }
            let update = moments.update(try space.project(gradient).array())
            let back = try space.restore(Tensor(update, projected.projected))
            weight = try (weight - rate * (0.5 * back)) * (1 - rate * decay)
            #expect(try found.weights[step + 1].isClose(to: weight, absolute: 1e-12), "\(step)")
        }
        #expect(try weight.largestDifference(to: found.weights[0]) > 0.01)
    }

    @Test("The update's rank is at most r in a window, and grows by r with each")
    func ranks() throws {
        let basis: [GradientProjection.Basis] = [
            .singularVectors, .random, .orthonormalRandom,
        ]
        for basis in basis {
            let weights = try run(
                Self.projection(2, basis: basis), [9, 8], steps: 9
            ) { try self.gradient([9, 8], $0) }.weights
            for (steps, most) in [(1, 2), (3, 2), (4, 4), (6, 4), (7, 6), (9, 6)] {
                #expect(try rank(weights[steps] - weights[0]) == most, "\(basis) \(steps)")
            }
        }
    }

    @Test("With the whole space and one step, each element moves by rate and scale")
    func firstStep() throws {
        let found = try run(Self.projection(8, .right), [8, 4], steps: 1) { _ in
            // A gradient whose singular vectors are unit vectors.
            let rows = try Tensor([4.0, 3, 2, 1]).expandedDimension(at: 1)
            let diagonal =
                try rows * Tensor([1.0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1], [4, 4])
            return try Tensor.joined([diagonal, .zeros([4, 4], dtype: .float64)], along: 0)
        }
        let change = try (found.weights[1] - found.weights[0]).magnitude()
        let numbers: [Double] = try change.array()
        for index in 0..<32 {
            let expected = index < 16 && index % 5 == 0 ? 0.01 * 0.5 : 0
            #expect(abs(numbers[index] - expected) < 1e-6)
        }
    }

    @Test("A weight without a gradient stays, and its steps are not counted")
    func noGradient() throws {
        let (still, moved) = (
            try Tensor.seeded([5, 4], seed: 1), try Tensor.seeded([5, 4], seed: 2)
        )
        let optimizer = try ProjectedAdam(
            [
                AdamW.Group(
                    tensors: [still, moved], names: ["still", "moved"], learningRate: 0.1,
                    weightDecay: 0.1)
            ], Self.projection(2), seed: 1)
        let before = try still.cloned()
        try moved.setGradient(.seeded([5, 4], seed: 3))
        try optimizer.step(factor: 1)
        #expect(try still.isIdentical(to: before))
        #expect(try optimizer.state["still.step"]?.item() == 0)
        #expect(try optimizer.state["moved.step"]?.item() == 1)
        try optimizer.clearGradients()
        #expect(try moved.gradient() == nil)
    }

    @Test("A random space is one for a window, and another for others")
    func seeds() throws {
        let seed = ProjectedAdam.seed
        #expect(seed(1, "a", 0) == seed(1, "a", 0))
        #expect(
            Set([seed(1, "a", 0), seed(2, "a", 0), seed(1, "b", 0), seed(1, "a", 1)]).count == 4)
        let projection = Self.projection(2, basis: .random)
        func weights(_ seed: UInt64, _ name: String) throws -> Tensor {
            try run(projection, [5, 4], steps: 4, seed: seed, name: name) {
                try self.gradient([5, 4], $0)
            }.weights[4]
        }
        #expect(try weights(1, "a").isIdentical(to: weights(1, "a")))
        #expect(try weights(1, "a").largestDifference(to: weights(2, "a")) > 1e-3)
        #expect(try weights(1, "a").largestDifference(to: weights(1, "b")) > 1e-3)
    }

    // MARK: - Memory

    @Test(
        "The state is 2 r max(d, k) numbers, and r min(d, k) of a projection that is kept",
        arguments: [[30, 20], [20, 30], [20, 20]])
    func memory(_ shape: [Int]) throws {
        let (r, most, least) = (3, shape.max() ?? 0, shape.min() ?? 0)
        func bytes(_ method: any WeightTrainingMethod) throws -> Int {
            let projection = try #require(method.gradientProjection)
            let group = AdamW.Group(
                tensors: [try .zeros(shape)], names: ["w"], learningRate: 1, weightDecay: 0)
            let state = try ProjectedAdam([group], projection, seed: 1).state
            return state.filter { $0.key != "w.step" }.values.reduce(0) { $0 + $1.byteCount }
        }
        #expect(try bytes(GaLore(rank: r)) == 4 * (2 * r * most + r * least))
        #expect(try bytes(GaRare(rank: r)) == 4 * 2 * r * most)
        #expect(try bytes(GaLore(rank: r, side: .full)) == 4 * (2 * r * r + r * (most + least)))
    }

    @Test("Target layers have a projected state, everything else AdamW's")
    func state() throws {
        let bert = try Bert.tiny()
        let trainee = try Trainee(
            bert, method: GaLore(rank: 2), targets: .names(["query", "intermediate.dense"]),
            using: Generator(seed: 1))
        let options = Workplace.options
        let projected = trainee.optimizerGroups(options, projected: true).flatMap(\.names)
        let names = [0, 1].flatMap { layer in
            ["attention.self.query", "intermediate.dense"].map {
                "bert.encoder.layer.\(layer).\($0).weight"
            }
        }
        #expect(Set(projected) == Set(names) && projected.count == 4)
        let plain = trainee.optimizerGroups(options).flatMap(\.names)
        #expect(plain.count == trainee.trainables.count - 4)
        #expect(Set(plain).isDisjoint(with: projected))
        let state = try trainee.makeOptimizers(options).map(\.state)
        let moments = try #require(state[1]["\(names[1]).exp_avg"])
        #expect(moments.shape == [20, 2])
        #expect(state[0]["\(names[1]).exp_avg"] == nil)
        #expect(state[0]["bert.embeddings.word_embeddings.weight.exp_avg"]?.shape == [40, 12])
        let all = try Trainee(
            Bert.tiny(), method: GaRare(), targets: nil, using: Generator(seed: 1))
        #expect(all.optimizerGroups(options, projected: true).flatMap(\.names).count == 13)
    }

    // MARK: - Runs

    static let methods: [any FineTuningMethod] = [
        GaLore(rank: 3, gap: 3), GaLore(rank: 3, gap: 4, side: .full), GaRare(rank: 3, gap: 3),
        GaRare(rank: 3, gap: 4, isOrthonormal: true),
    ]

    @Test(
        "A run that was stopped and resumed ends with the bytes of one that was not",
        arguments: methods.indices)
    func resume(_ method: Int) throws {
        let place = try Workplace()
        let run = { (name: String, resume: Bool) in
            place.run(Self.methods[method], to: name) {
                ($0.resume, $0.targets) = (resume, .names(["query", "dense"]))
                $0.options.learningRate = 1e-3
            }
        }
        _ = try run("whole", false).run { _ in }
        let expected = try place.read("whole/model.safetensors")
        #expect(try place.read("whole/model.safetensors") != place.read("model/model.safetensors"))
        for steps in [1, 3, 5, 7] {
            let (name, stop) = ("parts\(steps)", StopAfter(steps))
            #expect(throws: TrainingError.self) {
                try run(name, false).run(shouldStop: { stop() }) { stop.hear($0) }
            }
            _ = try run(name, true).run { _ in }
            #expect(try place.read("\(name)/model.safetensors") == expected, "\(steps)")
        }
    }

    @Test("It learns, and saves the whole model", arguments: [0, 2])
    func learns(_ method: Int) throws {
        let place = try Workplace(examples: 80, dropout: 0)
        let result = try place.run(Self.methods[method], to: "out") {
            $0.options.learningRate = 1e-3
            $0.options.epochs = 20
            $0.options.headLearningRate = 1e-2
        }.run { _ in }
        #expect(try #require(result.value) >= 0.9)
        #expect(result.trainableParameters == result.totalParameters)
        #expect(place.exists("out/model.safetensors") && place.exists("out/config.json"))
        #expect(!place.exists("out/adapter_config.json"))
    }

    @Test("Modules to save make no sense where everything trains")
    func modulesToSave() throws {
        #expect(throws: TrainingError.self) {
            try Trainee(
                Bert.tiny(), method: GaLore(), targets: nil, modulesToSave: ["pooler"],
                using: Generator(seed: 1))
        }
    }

    @Test("A training step leaks no tensor")
    func leaks() async {
        await #expect(processExitsWith: .success) {
            for method in Self.methods {
                let place = try Workplace()
                var live: [Int] = []
                _ = try place.run(method, to: "out").run { event in
                    if case .training(.step(let record)) = event, record.step <= 5 {
                        live.append(TorchRuntime.liveTensors)
                    }
                }
                #expect(live.count == 5)
                #expect(Set(live.dropFirst()).count == 1, "\(live)")
            }
        }
    }
}
