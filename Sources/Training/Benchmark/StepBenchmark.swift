import DualAdapters
import DualModels
import DualModules
import DualTorch
import Foundation

/// Times whole training steps of a decoder of random weights: one fixed batch of random tokens,
/// forward, backward and AdamW, by what training itself uses.
///
/// An update that is faded in stands fully open, so that every step does the whole work.
public struct StepBenchmark {
    public var configuration: URL
    public var method: any FineTuningMethod
    /// nil for ``commonTargets`` where the model has them, else its own default.
    public var targets: TargetSelection?
    public var batch = 4
    public var length = 256
    /// Steps that are timed, after ``warmUpSteps``.
    public var steps = 7
    public var computeType = DType.bfloat16
    public var seed: UInt64 = 0

    /// Steps that are not timed.
    public static let warmUpSteps = 2
    /// What the paper adapts in a LLaMA.
    public static let commonTargets = ["q_proj", "k_proj", "v_proj", "up_proj", "down_proj"]
    private static let learningRate = 1e-4
    private static let weightDecay = 0.01

    public init(configuration: URL, method: any FineTuningMethod) {
        self.configuration = configuration
        self.method = method
    }

    /// Measures.
    /// - Throws: ``TrainingError/badOption(name:reason:)``, ``ModelError``, ``ConfigurationError``,
    ///   ``AdapterError``; all but those of a step before any weight is drawn.
    public func run() throws -> StepMeasurement {
        try check()
        let file = try ConfigurationFile(configuration)
        let targets = try chooseTargets(file)
        let generator = try Generator(seed: seed)
        let trainee = try Trainee(
            ModelFolder.make(file, loading(.asLoaded)).model, method: method, targets: targets,
            using: generator)
        trainee.adapter?.prepare(TrainingProgress(step: 1, totalSteps: 1, warmupSteps: 1))
        let step = try BenchmarkStep(
            trainee, sequences: sequences(trainee.model), learningRate: Self.learningRate,
            weightDecay: Self.weightDecay, using: generator)
        for _ in 0..<Self.warmUpSteps { _ = try step.run() }
        let times = try (0..<steps).map { _ in try step.run() }
        return StepMeasurement(times, trainable: trainee.trainableCount, of: self)
    }

    private func check() throws {
        func require(_ range: ClosedRange<Int>, _ value: Int, _ name: String) throws {
            guard range ~= value else {
                throw TrainingError.badOption(
                    name: name,
                    reason: "\(value) is not from \(range.lowerBound) to \(range.upperBound)")
            }
        }
        try require(1...65_536, batch, "batch")
        // The first token of a sequence is not predicted.
        try require(2...1_000_000, length, "length")
        try require(1...1_000_000, steps, "steps")
    }

    /// The layers to adapt, once all that the model's shapes can tell has been checked.
    private func chooseTargets(_ file: ConfigurationFile) throws -> TargetSelection? {
        let model = try ModelFolder.make(file, loading(.shapesOnly)).causalModel()
        try model.check(ids: [Int](repeating: 0, count: length))
        guard method is any AdapterMethod else { return targets }
        let common = TargetSelection.names(Self.commonTargets)
        if targets == nil { return (try? common.layers(of: model.linears)).map { _ in common } }
        _ = try targets?.layers(of: model.linears)
        return targets
    }

    private func loading(_ drawing: Drawing) -> ModelFolder.LoadOptions {
        var options = ModelFolder.LoadOptions()
        options.computeType = computeType
        options.weights = method is any AdapterMethod ? .computeType : .float32
        options.seed = seed
        options.drawing = drawing
        return options
    }

    /// Token ids of a fixed batch.
    private func sequences(_ model: any TransformerModel) throws -> [[Int]] {
        let draws = try Tensor.uniform(
            [batch, length], to: Double(model.vocabularySize), dtype: .float64,
            using: Generator(seed: seed))
        let ids = try draws.array(of: Double.self).map { min(Int($0), model.vocabularySize - 1) }
        return (0..<batch).map { Array(ids[$0 * length..<($0 + 1) * length]) }
    }
}

/// One step, again and again.
struct BenchmarkStep {
    private let trainee: Trainee
    private let sequences: [[Int]]
    private let optimizer: AdamW
    private let generator: Generator

    init(
        _ trainee: Trainee, sequences: [[Int]], learningRate: Double, weightDecay: Double,
        using generator: Generator
    ) throws {
        self.trainee = trainee
        self.sequences = sequences
        self.generator = generator
        optimizer = try AdamW([
            AdamW.Group(
                tensors: trainee.trainables.map(\.tensor), learningRate: learningRate,
                weightDecay: weightDecay)
        ])
    }

    /// - Throws: ``TrainingError/badOption(name:reason:)`` for a loss that is not finite: times of such
    ///   numbers would tell nothing.
    func run() throws -> StepTimes {
        let start = ContinuousClock.now
        let loss = try nextTokenLoss(
            of: trainee.model, on: sequences,
            layout: SequenceLayout(isPacked: false, paddingID: 0), mode: .training(generator))
        let forward = start.millisecondsAgo
        try loss.backward()
        let backward = start.millisecondsAgo
        try optimizer.step(factor: 1)
        try optimizer.clearGradients()
        let whole = start.millisecondsAgo
        return StepTimes(
            forward: forward, backward: backward - forward, optimizer: whole - backward,
            loss: try finite(loss.item()))
    }

    private func finite(_ loss: Double) throws -> Double {
        guard loss.isFinite else {
            throw TrainingError.badOption(
                name: "config", reason: "its model of random weights has a loss of \(loss)")
        }
        return loss
    }
}
