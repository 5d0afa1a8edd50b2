import DualTorch
import Foundation
import TestSupport
import Testing

@testable import DualTraining

@Suite struct AdamWTests {
    /// Adam with decoupled weight decay as its paper writes it (algorithm 2), in plain Swift.
    struct PlainAdamW {
        var values: [Double]
        var first: [Double]
        var second: [Double]
        var step = 0.0

        init(_ values: [Double]) {
            self.values = values
            first = values.map { _ in 0 }
            second = first
        }

        mutating func update(_ gradients: [Double], rate: Double, decay: Double) {
            step += 1
            for index in values.indices {
                let gradient = gradients[index]
                first[index] = 0.9 * first[index] + 0.1 * gradient
                second[index] = 0.999 * second[index] + 0.001 * gradient * gradient
                let mean = first[index] / (1 - pow(0.9, step))
                let variance = second[index] / (1 - pow(0.999, step))
                values[index] -= rate * decay * values[index]
                values[index] -= rate * mean / (variance.squareRoot() + 1e-8)
            }
        }
    }

    @Test(
        "Twenty steps of two groups are those of the plain algorithm",
        arguments: [(DType.float64, 1e-12), (.float32, 1e-6)])
    func plainAlgorithm(_ dtype: DType, _ tolerance: Double) throws {
        let start = try (0..<3).map { try Tensor.seeded([5], seed: UInt64($0), dtype: .float64) }
        var plain = try start.map { PlainAdamW(try $0.array()) }
        let tensors = try start.map { try $0.to(dtype).cloned().requireGradient() }
        let groups = [
            (rate: 0.01, decay: 0.1, members: [0, 2]), (rate: 0.003, decay: 0, members: [1]),
        ]
        let optimizer = try AdamW(
            groups.map { group in
                AdamW.Group(
                    tensors: group.members.map { tensors[$0] }, learningRate: group.rate,
                    weightDecay: group.decay)
            })
        for step in 0..<20 {
            let factor = 1 - Double(step) / 20
            for group in groups {
                for member in group.members {
                    let gradient = try Tensor.seeded(
                        [5], seed: UInt64(100 + step * 3 + member), dtype: .float64)
                    try tensors[member].setGradient(gradient.to(dtype))
                    plain[member].update(
                        try gradient.array(), rate: group.rate * factor, decay: group.decay)
                }
            }
            try optimizer.step(factor: factor)
        }
        for (tensor, plain) in zip(tensors, plain) {
            #expect(try tensor.isClose(to: Tensor(plain.values), absolute: tolerance))
        }
    }

    @Test("A tensor without a gradient stays, and a gradient of zero moves nothing but by decay")
    func noGradient() throws {
        let (still, zero, decayed) = (try Tensor([1.0]), try Tensor([1.0]), try Tensor([1.0]))
        let optimizer = try AdamW([
            .init(tensors: [still, zero], learningRate: 0.1, weightDecay: 0),
            .init(tensors: [decayed], learningRate: 0.1, weightDecay: 0.5),
        ])
        for tensor in [zero, decayed] { try tensor.setGradient(Tensor([0.0])) }
        try optimizer.step(factor: 1)
        #expect(try still.item() == 1)
        #expect(try zero.item() == 1)
        #expect(abs(try decayed.item() - 0.95) < 1e-12)
    }

    @Test("Clearing removes every gradient")
    func clearing() throws {
        let tensor = try Tensor([1.0])
        try tensor.setGradient(Tensor([2.0]))
        try AdamW([.init(tensors: [tensor], learningRate: 1, weightDecay: 0)]).clearGradients()
        #expect(try tensor.gradient() == nil)
    }

    // MARK: - Clipping

    private func tensors(_ gradients: [[Double]]) throws -> [Tensor] {
        try gradients.map {
            let tensor = try Tensor($0)
            try tensor.setGradient(Tensor($0))
            return tensor
        }
    }

    @Test("Gradients over the limit are scaled to it together, and the norm before is told")
    func clipping() throws {
        let tensors = try tensors([[3, 0], [0, 4]]) + [Tensor([9.0])]
        #expect(try clipGradients(of: tensors, to: 1) == 5)
        let first = try #require(try tensors[0].gradient())
        let second = try #require(try tensors[1].gradient())
        #expect(try first.isClose(to: Tensor([0.6, 0]), absolute: 1e-6))
        #expect(try second.isClose(to: Tensor([0, 0.8]), absolute: 1e-6))
        #expect(try tensors[2].gradient() == nil)
    }

    @Test("Gradients within the limit keep every bit", arguments: [5.0, 100, .infinity])
    func noClipping(_ limit: Double) throws {
        let tensors = try tensors([[3, 0], [0, 4]])
        #expect(try clipGradients(of: tensors, to: limit) == 5)
        #expect(try tensors[0].gradient()?.array() == [3.0, 0])
    }

    @Test("No gradient at all has norm 0")
    func nothingToClip() throws {
        #expect(try clipGradients(of: [Tensor([1.0])], to: 1) == 0)
    }
}

@Suite struct ScheduleTests {
    @Test("The rate rises in a line from 0 and falls in a line to 0")
    func schedule() {
        let schedule = LearningRateSchedule(warmupSteps: 4, totalSteps: 12)
        let expected = [0, 0.25, 0.5, 0.75, 1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125, 0, 0]
        #expect((0..<14).map(schedule.factor(at:)) == expected)
    }

    @Test("Without warm-up it starts at the peak; with nothing but warm-up it ends below it")
    func extremes() {
        #expect(LearningRateSchedule(warmupSteps: 0, totalSteps: 2).factor(at: 0) == 1)
        let rising = LearningRateSchedule(warmupSteps: 2, totalSteps: 2)
        #expect((0..<3).map(rising.factor(at:)) == [0, 0.5, 0])
        #expect(LearningRateSchedule(warmupSteps: 0, totalSteps: 0).factor(at: 0) == 0)
    }

    @Test("A cosine falls by half a period, a constant schedule stays at the peak")
    func shapes() {
        let cosine = LearningRateSchedule(warmupSteps: 2, totalSteps: 6, shape: .cosine)
        let expected = [0, 0.5, 1, 0.5 + 0.25 * 2.0.squareRoot(), 0.5]
        for (step, value) in expected.enumerated() {
            #expect(abs(cosine.factor(at: step) - value) < 1e-12)
        }
        #expect((6..<9).map(cosine.factor(at:)) == [0, 0, 0])
        let constant = LearningRateSchedule(warmupSteps: 2, totalSteps: 6, shape: .constant)
        #expect((0..<8).map(constant.factor(at:)) == [0, 0.5, 1, 1, 1, 1, 1, 1])
    }

    // MARK: - Batches

    @Test(
        "Every epoch sees every example once",
        arguments: [(1, 1, 1), (7, 3, 1), (100, 8, 4), (1000, 4, 3), (5, 8, 2)])
    func coverage(_ count: Int, _ batchSize: Int, _ accumulation: Int) {
        let lengths = (0..<count).map { 3 + ($0 * 7) % 11 }
        let plan = BatchPlan(
            lengths: lengths, batchSize: batchSize, accumulation: accumulation, seed: 5)
        for epoch in 0..<3 {
            let steps = plan.epoch(epoch)
            #expect(steps.count == plan.steps(ofEpochs: 1))
            #expect(steps.flatMap { $0 }.flatMap { $0 }.sorted() == Array(0..<count))
            #expect(steps.allSatisfy { (1...accumulation).contains($0.count) })
            #expect(steps.joined().allSatisfy { (1...batchSize).contains($0.count) })
        }
    }

    @Test("The order is a function of the seed and the epoch, and differs by both")
    func order() {
        let plan = {
            BatchPlan(lengths: (0..<64).map { $0 % 7 }, batchSize: 4, accumulation: 1, seed: $0)
        }
        #expect(plan(1).epoch(0) == plan(1).epoch(0))
        #expect(plan(1).epoch(0) != plan(1).epoch(1))
        #expect(plan(1).epoch(0) != plan(2).epoch(0))
        #expect(plan(1).epoch(0) != Array(0..<64).map { [[$0]] })
    }

    @Test("Batches hold sequences of like length")
    func padding() {
        let lengths = (0..<400).map { 1 + ($0 * 37) % 50 }
        let plan = BatchPlan(lengths: lengths, batchSize: 8, accumulation: 1, seed: 5)
        let padded = plan.epoch(0).joined().reduce(0) { sum, batch in
            sum + batch.count * (batch.map { lengths[$0] }.max() ?? 0)
        }
        #expect(Double(padded) < 1.1 * Double(lengths.reduce(0, +)))
    }

    @Test("Evaluation takes the longest first, each example once")
    func byLength() {
        #expect(BatchPlan.byLength([5, 1, 5, 3, 2], batchSize: 2) == [[0, 2], [3, 4], [1]])
    }

    @Test("SplitMix64 gives the numbers of its reference")
    func splitMix() {
        var random = SplitMix64(seed: 1_234_567)
        #expect(random.next() == 6_457_827_717_110_365_317)
        #expect(random.next() == 3_203_168_211_198_807_973)
    }

    // MARK: - Options

    /// What is wrong with the options, and the name of the one at fault.
    static let badOptions: [(String, @Sendable (inout TrainingOptions) -> Void)] = [
        ("epochs", { $0.epochs = 0 }),
        ("steps", { $0.steps = 0 }),
        ("batch-size", { $0.batchSize = 0 }),
        ("gradient-accumulation", { $0.accumulation = 0 }),
        ("learning-rate", { $0.learningRate = 0 }),
        ("learning-rate", { $0.learningRate = .nan }),
        ("head-learning-rate", { $0.headLearningRate = -1 }),
        ("weight-decay", { $0.weightDecay = -0.1 }),
        ("weight-decay", { $0.weightDecay = .nan }),
        ("warmup-ratio", { $0.warmupRatio = 1.5 }),
        ("warmup-steps", { $0.warmupSteps = -1 }),
        ("adam-beta1", { $0.adamBetas.0 = 1 }),
        ("adam-beta2", { $0.adamBetas.1 = -0.1 }),
        ("adam-epsilon", { $0.adamEpsilon = 0 }),
        ("evaluation-steps", { $0.evaluationSteps = 0 }),
        ("patience", { $0.patience = 0 }),
        ("gradient-limit", { $0.gradientLimit = 0 }),
        ("max-length", { $0.maximumLength = 3 }),
        ("logging-steps", { $0.loggingSteps = 0 }),
        ("checkpoint-steps", { $0.checkpointSteps = 0 }),
    ]

    @Test("Options that make no sense are refused by name", arguments: badOptions)
    func refusal(_ name: String, _ set: @Sendable (inout TrainingOptions) -> Void) {
        var options = TrainingOptions()
        #expect(message { try options.check() } == "no error")
        set(&options)
        #expect(message { try options.check() }.hasPrefix("`\(name)`: "))
    }
}
