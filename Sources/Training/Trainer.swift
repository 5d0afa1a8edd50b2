import DualAdapters
import DualModels
import DualModules
import DualTasks
import DualTorch
import Foundation

/// The loop: one for every method and task.
public final class Trainer {
    public let trainee: Trainee
    public let options: TrainingOptions
    public let totalSteps: Int
    let schedule: LearningRateSchedule
    private let objective: Objective
    private let examples: [EncodedExample]
    private let evaluator: Evaluator?
    private let plan: BatchPlan
    let optimizer: AdamW
    let groupNames: [[String]]
    /// Where dropout takes its numbers from.
    let generator: Generator
    private let paddingID: Int
    private let device: Device
    private(set) var progress = Progress()

    /// How far a run has come; a checkpoint keeps it.
    struct Progress: Codable, Equatable {
        var step = 0
        var tokens = 0
        var seconds = 0.0
        /// Loss and steps since the last record.
        var lossSum = 0.0
        var lossSteps = 0
    }

    /// - Parameters:
    ///   - evaluator: scores the model after every epoch; nil for no scores.
    ///   - generator: as it stands after the adapters were drawn.
    /// - Throws: ``TrainingError/badOption(name:reason:)``.
    public init(
        _ trainee: Trainee, task: any SentenceTask.Type, examples: [EncodedExample],
        evaluator: Evaluator?, options: TrainingOptions, paddingID: Int, device: Device = .cpu,
        using generator: Generator
    ) throws {
        try options.check()
        self.trainee = trainee
        self.options = options
        self.objective = Objective(task)
        self.examples = examples
        self.evaluator = evaluator
        self.generator = generator
        self.paddingID = paddingID
        self.device = device
        plan = BatchPlan(
            lengths: examples.map(\.ids.count), batchSize: options.batchSize,
            accumulation: options.accumulation, seed: options.seed)
        totalSteps = options.steps ?? options.epochs * plan.stepsPerEpoch
        schedule = LearningRateSchedule(
            warmupSteps: Int((options.warmupRatio * Double(totalSteps)).rounded(.up)),
            totalSteps: totalSteps)
        let groups = trainee.optimizerGroups(options)
        groupNames = groups.map(\.names)
        optimizer = try AdamW(groups.map(\.group))
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
        var epoch = progress.step / plan.stepsPerEpoch
        while progress.step < totalSteps {
            for batches in plan.epoch(epoch).dropFirst(progress.step % plan.stepsPerEpoch) {
                try step(batches, lastCheckpoint: checkpoints?.newest, report: report)
                if let checkpoints,
                    options.checkpointSteps.map({ progress.step % $0 == 0 }) ?? false
                {
                    try report(.checkpoint(checkpoints.write(self)))
                }
                if shouldStop(), progress.step < totalSteps, let checkpoints {
                    let saved = try checkpoints.write(self)
                    throw TrainingError.interrupted(step: progress.step, checkpoint: saved.path)
                }
                if progress.step == totalSteps { break }
            }
            epoch += 1
            prepareAdapters()
            if let evaluator {
                let evaluation = try evaluator.evaluate(trainee.model)
                try report(.evaluated(EvaluationRecord(step: progress.step, evaluation)))
            }
        }
    }

    /// Whether the steps done end an epoch, or the run, or have not begun.
    var isAtEpochEnd: Bool {
        progress.step == totalSteps || progress.step % plan.stepsPerEpoch == 0
    }

    /// Tells the adapters which step comes.
    func prepareAdapters() {
        trainee.adapter?.prepare(
            TrainingProgress(
                step: progress.step, totalSteps: totalSteps, warmupSteps: schedule.warmupSteps))
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
        try optimizer.step(factor: factor)
        try optimizer.clearGradients()
        progress.step += 1
        progress.lossSum += loss
        progress.lossSteps += 1
        progress.seconds += started.secondsAgo
        if progress.step % options.loggingSteps == 0 || progress.step == totalSteps {
            try report(.step(record(learningRate: rate, gradientNorm: norm)))
        }
    }

    /// Backward of every micro-batch, each weighted by its share of the step's examples.
    /// - Returns: the mean loss of the step's examples.
    private func accumulate(_ batches: [[Int]]) throws -> Double {
        let count = batches.reduce(0) { $0 + $1.count }
        var sum = 0.0
        for indices in batches {
            let batch = try TokenBatch(examples, indices, paddingID: paddingID, device: device)
            let logits = try trainee.model.logits(batch, mode: .training(generator))
            let share = Double(indices.count) / Double(count)
            let loss = try objective.loss(logits, indices.map { examples[$0].label }) * share
            let value = try loss.item()
            guard value.isFinite else { return value }
            try loss.backward()
            sum += value
            progress.tokens += batch.tokenCount
        }
        return sum
    }

    private func record(learningRate: Double, gradientNorm: Double) -> StepRecord {
        defer { (progress.lossSum, progress.lossSteps) = (0, 0) }
        return StepRecord(
            step: progress.step,
            epoch: Double(progress.step) / Double(plan.stepsPerEpoch),
            loss: progress.lossSum / Double(max(1, progress.lossSteps)),
            learningRate: learningRate, gradientNorm: gradientNorm, tokens: progress.tokens,
            seconds: progress.seconds)
    }

    func restore(_ progress: Progress) { self.progress = progress }

    /// Tokens seen and seconds taken by the steps done.
    public var throughput: (tokens: Int, seconds: Double) { (progress.tokens, progress.seconds) }
}

extension ContinuousClock.Instant {
    /// Seconds from this instant to now.
    public var secondsAgo: Double { (ContinuousClock.now - self) / .seconds(1) }
}
