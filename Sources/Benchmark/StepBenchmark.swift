import DualAdapters
import DualModels
import DualModules
import DualTorch
import DualTraining
import Foundation

/// Times whole training steps of a decoder of random weights: one fixed batch of random tokens,
/// forward, backward and AdamW, by what training itself uses.
///
/// An update that is faded in stands fully open, so that every step does the whole work.
package struct StepBenchmark {
    package var configuration: URL
    package var method: any FineTuningMethod
    /// A folder with the model's weights, which are mapped from there; nil draws them.
    package var weights: URL?
    /// nil for ``commonTargets`` where the model has them, else its own default.
    package var targets: TargetSelection?
    package var batch = 4
    package var length = 256
    /// Steps that are timed, after ``warmUpSteps``.
    package var steps = 7
    package var computeType = DType.bfloat16
    /// What the weights of linear layers are quantised to; nil for what they are.
    package var quantization: BlockFormat?
    package var device = Device.cpu
    package var seed: UInt64 = 0
    /// Whether blocks keep only their inputs for the backward, which computes them again.
    package var checkpointsActivations = false
    /// Whether the products that a step cannot do without are timed after each step.
    package var measuresLimit = false

    /// Steps that are not timed.
    package static let warmUpSteps = 2
    /// What the paper adapts in a LLaMA.
    package static let commonTargets = ["q_proj", "k_proj", "v_proj", "up_proj", "down_proj"]

    package init(configuration: URL, method: any FineTuningMethod) {
        self.configuration = configuration
        self.method = method
    }

    /// Measures.
    /// - Throws: ``TrainingError/badOption(name:reason:)``, ``ModelError``, ``ConfigurationError``,
    ///   ``AdapterError``, ``WeightError``, ``SafetensorsError``; what the shapes can tell is found
    ///   before any weight is drawn.
    package func run() throws -> StepMeasurement {
        // The first token of a sequence is not predicted.
        try checkRanges([
            ("batch", batch, 1...65_536), ("length", length, 2...1_000_000),
            ("steps", steps, 1...1_000_000),
        ])
        let file = try ConfigurationFile(configuration)
        let targets = try chooseTargets(file)
        guard device == .cpu || !measuresLimit else {
            throw TrainingError.badOption(name: "limit", reason: "it is measured on the CPU alone")
        }
        let generator = try Generator(seed: seed)
        let trainee = try Trainee(load(file), method: method, targets: targets, using: generator)
        trainee.adapter?.prepare(TrainingProgress(step: 1, totalSteps: 1, warmupSteps: 1))
        let step = try BenchmarkStep(
            trainee, sequences: sequences(trainee.model),
            mode: .training(
                device == .cpu ? generator : Generator(seed: seed, device: device),
                recomputingBlocks: checkpointsActivations), device)
        for _ in 0..<Self.warmUpSteps { _ = try step.run() }
        let before = PlainExpressions.sinceStart
        var times = [try step.run()]
        let plain = PlainExpressions.sinceStart.merging(before) { $0 - $1 }
            .filter { $0.value > 0 }
        // Before what only the products' measurement needs comes to be in memory.
        let memory = ResidentMemory.now(mappedFrom: weights)
        let products =
            measuresLimit
            ? try trainee.products(
                of: step.sequences, layout: step.layout, mode: step.mode) : nil
        let operands = ProductOperands(computeType, using: generator)
        var limits = [try products?.run(operands)]
        for _ in 1..<steps {
            times.append(try step.run())
            limits.append(try products?.run(operands))
        }
        return try StepMeasurement(
            times, limits.compactMap { $0 }, products, memory, trainee, mapped: areMapped(),
            plain: plain, of: self)
    }

    /// The layers to adapt, once all that the model's shapes can tell has been checked.
    private func chooseTargets(_ file: ConfigurationFile) throws -> TargetSelection? {
        let model = try ModelFolder.make(file, loading(.shapesOnly)).causalModel()
        try model.check(ids: [Int](repeating: 0, count: length))
        guard method is any LinearAdapterMethod else { return targets }
        let common = TargetSelection.names(Self.commonTargets)
        if targets == nil { return (try? common.layers(of: model.slots)).map { _ in common } }
        _ = try targets?.layers(of: model.slots)
        return targets
    }

    private func load(_ file: ConfigurationFile) throws -> any TransformerModel {
        guard let weights else { return try ModelFolder.make(file, loading(.asLoaded)).model }
        let loaded = try ModelFolder.load(file, weights: weights, loading(.asLoaded))
        if let strange = loaded.unused.first {
            throw TrainingError.badOption(
                name: "weights",
                reason:
                    "\(weights.path) has \(loaded.unused.count) tensor(s) that \(file.url.path) "
                    + "has no place for, such as '\(strange)'; they are another model's")
        }
        return loaded.model
    }

    /// Whether the weights' matrices are used as the file has them.
    private func areMapped() throws -> Bool? {
        guard let weights else { return nil }
        guard quantization == nil else { return false }
        let checkpoint = try Checkpoint(folder: weights)
        let isFrozen = method is any AdapterMethod
        let wanted = isFrozen ? computeType : .float32
        return checkpoint.names.allSatisfy {
            guard let type = checkpoint.dtype(of: $0), checkpoint.shape(of: $0)?.count ?? 0 > 1
            else { return true }
            return type == wanted || isFrozen && type.byteCount < wanted.byteCount
        }
    }

    private func loading(_ drawing: Drawing) -> ModelFolder.LoadOptions {
        var options = ModelFolder.LoadOptions()
        options.computeType = computeType
        options.weights = method is any AdapterMethod ? .narrower : .float32
        options.quantization = quantization
        options.device = drawing == .shapesOnly ? .cpu : device
        options.seed = seed
        options.drawing = drawing
        return options
    }

    /// Token ids of a fixed batch.
    private func sequences(_ model: any TransformerModel) -> [[Int]] {
        var random = SplitMix64(seed: seed)
        return (0..<batch).map { _ in
            (0..<length).map { _ in Int.random(in: 0..<model.vocabularySize, using: &random) }
        }
    }
}

/// Checks the sizes of a benchmark.
/// - Throws: ``TrainingError/badOption(name:reason:)``.
func checkRanges(_ sizes: [(name: String, value: Int, range: ClosedRange<Int>)]) throws {
    for (name, value, range) in sizes where !range.contains(value) {
        throw TrainingError.badOption(
            name: name, reason: "\(value) is not from \(range.lowerBound) to \(range.upperBound)")
    }
}

/// One step, again and again.
private struct BenchmarkStep {
    private let trainee: Trainee
    let sequences: [[Int]]
    let layout: SequenceLayout
    let mode: ForwardMode
    private let device: Device
    private let optimizers: [any Optimizer]

    init(
        _ trainee: Trainee, sequences: [[Int]], mode: ForwardMode, _ device: Device
    ) throws {
        self.device = device
        layout = SequenceLayout(isPacked: false, paddingID: 0, device: device)
        self.trainee = trainee
        self.sequences = sequences
        self.mode = mode
        var options = TrainingOptions()
        (options.learningRate, options.headLearningRate) = (1e-4, 1e-4)
        optimizers = try trainee.makeOptimizers(options)
    }

    /// - Throws: ``TrainingError/badOption(name:reason:)`` for a loss that is not finite: times of such
    ///   numbers would tell nothing.
    func run() throws -> StepTimes {
        let start = ContinuousClock.now
        let loss = try nextTokenLoss(
            of: trainee.model, on: sequences, layout: layout, mode: mode)
        try device.wait()
        let forward = start.millisecondsAgo
        try loss.backward()
        try device.wait()
        let backward = start.millisecondsAgo
        for optimizer in optimizers {
            try optimizer.step(factor: 1)
            try optimizer.clearGradients()
        }
        try device.wait()
        let whole = start.millisecondsAgo
        let value = try loss.item()
        guard value.isFinite else {
            throw TrainingError.badOption(
                name: "config", reason: "its model of random weights has a loss of \(value)")
        }
        return StepTimes(
            forward: forward, backward: backward - forward, optimizer: whole - backward,
            loss: value)
    }
}
