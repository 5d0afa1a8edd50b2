import DualAdapters
import DualModules
import DualTorch
import Foundation

/// The loop: one for every method and task.
public final class Trainer {
    public let trainee: Trainee
    public let options: TrainingOptions
    public let totalSteps: Int
    let schedule: LearningRateSchedule
    private let examples: any TrainingSet
    private let lengths: [Int]
    let scorer: (any Scorer)?
    let plan: BatchPlan
    private let optimizers: [any Optimizer]
    /// Where dropout takes its numbers from.
    let generator: Generator
    private(set) var progress = Progress()

    /// How far a run has come; a checkpoint keeps it.
    struct Progress: Codable, Equatable {
        var step = 0
        var tokens = 0
        var seconds = 0.0
        /// Loss and steps since the last record.
        var lossSum = 0.0
        var lossSteps = 0
        /// nil before the first score.
        var devLosses: DevLosses?
    }

    /// What had the lowest dev loss, where the run is to end with it.
    private(set) var best: [String: Tensor]?

    /// - Parameters:
    ///   - scorer: scores the model on its way; nil for no scores.
    ///   - generator: as it stands after the adapters were drawn.
    /// - Throws: ``TrainingError/badOption(name:reason:)``.
    public init(
        _ trainee: Trainee, on examples: any TrainingSet, scorer: (any Scorer)?,
        options: TrainingOptions, using generator: Generator
    ) throws {
        try options.check(fewestSteps: 0)
        self.trainee = trainee
        self.options = options
        self.examples = examples
        self.scorer = scorer
        self.generator = generator
        lengths = examples.lengths
        guard !lengths.isEmpty else {
            throw TrainingError.badOption(name: "data", reason: "it has no examples to train on")
        }
        plan = BatchPlan(
            lengths: lengths, batchSize: options.batchSize ?? 1,
            accumulation: options.accumulation, batching: examples.batching,
            shuffles: options.shuffles, seed: options.seed)
        totalSteps = options.steps ?? plan.steps(ofEpochs: options.epochs)
        schedule = LearningRateSchedule(
            warmupSteps: options.warmupSteps
                ?? Int((options.warmupRatio * Double(totalSteps)).rounded(.up)),
            totalSteps: totalSteps, shape: options.schedule)
        optimizers = try trainee.makeOptimizers(options)
    }

    /// Runs to the end.
    /// - Parameters:
    ///   - checkpoints: where to keep checkpoints; nil for none.
    ///   - shouldStop: asked after every step; true writes a checkpoint and stops.
    ///   - report: gets every event, in order.
    /// - Throws: ``TrainingError`` for a loss that is not finite or an interrupt, ``AdapterError`` for
    ///   an adapter that gets no gradient, and whatever `report` throws.
    public func run(
        checkpoints: CheckpointFolder? = nil, shouldStop: () -> Bool = { false },
        report: (TrainingEvent) throws -> Void
    ) throws {
        while !isOver {
            let place = plan.place(ofStep: progress.step)
            for batches in plan.epoch(place.epoch).dropFirst(place.index) {
                try step(batches, lastCheckpoint: checkpoints?.newest, report: report)
                if isAtEvaluation, let record = try score(report) {
                    try note(record)
                    try report(.evaluated(record))
                }
                if let checkpoints,
                    options.checkpointSteps.map({ progress.step % $0 == 0 }) ?? false
                {
                    try report(.checkpoint(checkpoints.write(self)))
                }
                if shouldStop(), !isOver, let checkpoints {
                    let saved = try checkpoints.write(self)
                    throw TrainingError.interrupted(step: progress.step, checkpoint: saved.path)
                }
                if isOver { break }
            }
        }
        try finish(shouldStop: shouldStop, report)
    }

    /// One optimizer step over its micro-batches.
    private func step(
        _ batches: [[Int]], lastCheckpoint: URL?, report: (TrainingEvent) throws -> Void
    ) throws {
        let started = ContinuousClock.now
        prepareAdapters()
        let factor = schedule.factor(at: progress.step)
        let rate = (options.learningRate ?? trainee.method.defaultLearningRate) * factor
        func requireFinite(_ value: Double) throws {
            guard !value.isFinite else { return }
            throw TrainingError.notFinite(
                step: progress.step + 1, learningRate: rate, checkpoint: lastCheckpoint?.path)
        }
        let loss = try accumulate(batches)
        try requireFinite(loss)
        try trainee.checkGradients(step: progress.step)
        let norm = try clipGradients(
            of: trainee.trainables.map(\.tensor), to: options.gradientLimit ?? .infinity)
        try requireFinite(norm)
        for optimizer in optimizers {
            try optimizer.step(factor: factor)
            try optimizer.clearGradients()
        }
        progress.step += 1
        progress.lossSum += loss
        progress.lossSteps += 1
        progress.seconds += started.secondsAgo
        if progress.step % options.loggingSteps == 0 || progress.step == totalSteps {
            try report(.step(record(learningRate: rate, gradientNorm: norm)))
        }
    }

    /// Leaves the gradients of the next step at the tensors that train, without taking the step.
    func accumulateNextStep() throws {
        prepareAdapters()
        let place = plan.place(ofStep: progress.step)
        _ = try accumulate(plan.epoch(place.epoch)[place.index])
    }

    /// Backward of every micro-batch, each weighted by its share of what the step predicts.
    /// - Returns: the mean loss of the step.
    private func accumulate(_ batches: [[Int]]) throws -> Double {
        let weights = batches.map { Double(examples.weight(of: $0)) }
        let whole = weights.reduce(0, +)
        var sum = 0.0
        for (indices, weight) in zip(batches, weights) {
            let mean = try examples.loss(
                of: trainee.model, on: indices,
                mode: .training(
                    generator, recomputingBlocks: options.activationCheckpointing))
            let loss = try mean * (weight / whole)
            let value = try loss.item()
            guard value.isFinite else { return value }
            try loss.backward()
            sum += value
            progress.tokens += indices.reduce(0) { $0 + lengths[$1] }
        }
        return sum
    }

    private func record(learningRate: Double, gradientNorm: Double) -> StepRecord {
        defer { (progress.lossSum, progress.lossSteps) = (0, 0) }
        return StepRecord(
            step: progress.step,
            epoch: plan.epochs(atStep: progress.step),
            loss: progress.lossSum / Double(max(1, progress.lossSteps)),
            learningRate: learningRate, gradientNorm: gradientNorm, tokens: progress.tokens,
            seconds: progress.seconds)
    }

    /// Keeps what a score says of the run.
    private func note(_ record: EvaluationRecord) throws {
        var losses = progress.devLosses ?? DevLosses()
        let isBest = losses.add(record.evaluationLoss, step: record.step)
        if isBest, options.keepsBest { best = try trainee.copiedState() }
        progress.devLosses = losses
    }

    func restore(_ progress: Progress, best: [String: Tensor]?) {
        self.progress = progress
        self.best = best
    }

    /// Everything that the optimizers remember, by name.
    var optimizerState: [String: Tensor] {
        optimizers.reduce(into: [:]) { $0.merge($1.state) { first, _ in first } }
    }

    /// Tokens of all examples.
    var exampleTokens: Int { lengths.reduce(0, +) }

    /// Tokens seen and seconds taken by the steps done.
    public var throughput: (tokens: Int, seconds: Double) { (progress.tokens, progress.seconds) }
}

extension ContinuousClock.Instant {
    /// Seconds from this instant to now.
    public var secondsAgo: Double { (ContinuousClock.now - self) / .seconds(1) }
}
