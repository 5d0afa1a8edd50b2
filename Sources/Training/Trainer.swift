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
    let optimizers: [any Optimizer]
    /// Where dropout takes its numbers from.
    let generator: Generator
    package internal(set) var progress = TrainerState.Progress()
    /// What had the lowest dev loss, where the run is to end with it.
    var best: [String: Tensor]?
    /// What checkpoints after epochs have taken.
    var checkpointSeconds = 0.0

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

    /// Trains from where the trainer stands to the end: a first score, the steps with the scores and
    /// checkpoints between them, and a last score of what is saved before it.
    /// - Parameters:
    ///   - store: keeps records, checkpoints and what was trained; nil for none of them.
    ///   - shouldStop: asked after every step, and after every batch of a score; true keeps a checkpoint
    ///     and stops.
    ///   - report: gets every event, in order.
    /// - Throws: ``TrainingError`` for a loss that is not finite, an interrupt or what could not be saved,
    ///   ``AdapterError`` for an adapter that gets no gradient, and whatever the store and `report` throw.
    public func run(
        into store: (any TrainingStore)? = nil, shouldStop: () -> Bool = { false },
        report: (TrainingEvent) throws -> Void
    ) throws {
        func tell(_ event: TrainingEvent) throws {
            try store?.record(event)
            try report(event)
        }
        if isAtEvaluation, !(store?.hasEvaluation(afterStep: progress.step) ?? false) {
            try score(into: store, shouldStop: shouldStop, tell)
        }
        while !isOver {
            let place = plan.place(ofStep: progress.step)
            for batches in plan.epoch(place.epoch).dropFirst(place.index) {
                try step(batches, lastCheckpoint: store?.newestCheckpoint, tell)
                if isAtEvaluation {
                    progress.lacksScore = true
                    try score(into: store, shouldStop: shouldStop, tell)
                }
                if let store, isAtCheckpoint { try tell(checkpoint(into: store)) }
                if shouldStop(), !isOver { throw stopped(store) }
                if isOver { break }
            }
        }
        try returnToBest()
        do {
            try store?.save(trainee)
        } catch {
            throw unsaved(error, store)
        }
        try tell(.trained)
        try scoreEnd(shouldStop: shouldStop, tell)
    }

    /// One optimizer step over its micro-batches.
    private func step(
        _ batches: [[Int]], lastCheckpoint: String?, _ report: (TrainingEvent) throws -> Void
    ) throws {
        let started = ContinuousClock.now
        prepareAdapters()
        let factor = schedule.factor(at: progress.step)
        let rate = (options.learningRate ?? trainee.method.defaultLearningRate) * factor
        func requireFinite(_ value: Double) throws {
            guard !value.isFinite else { return }
            throw TrainingError.notFinite(
                step: progress.step + 1, learningRate: rate, checkpoint: lastCheckpoint)
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

    /// Backward of every micro-batch, each weighted by its share of what the step predicts.
    /// - Returns: the mean loss of the step.
    func accumulate(_ batches: [[Int]]) throws -> Double {
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
    func note(_ record: EvaluationRecord) throws {
        var losses = progress.devLosses ?? DevLosses()
        let isBest = losses.add(record.evaluationLoss, step: record.step)
        if isBest, options.keepsBest { best = try trainee.copiedState() }
        progress.devLosses = losses
    }

    package var warmupSteps: Int { schedule.warmupSteps }

    /// Whether the run has steps and a learning rate of 0 in all of them.
    package var learnsNothing: Bool {
        totalSteps > 0 && !(0..<totalSteps).contains { schedule.factor(at: $0) > 0 }
    }

    /// Tokens of all examples.
    package var exampleTokens: Int { lengths.reduce(0, +) }

    /// Tokens seen and seconds taken by the steps done.
    public var throughput: (tokens: Int, seconds: Double) { (progress.tokens, progress.seconds) }
}

extension ContinuousClock.Instant {
    /// Seconds from this instant to now.
    public var secondsAgo: Double { (ContinuousClock.now - self) / .seconds(1) }
}
