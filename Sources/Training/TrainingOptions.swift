/// How a fine-tuning run goes, besides the method.
public struct TrainingOptions: Sendable {
    public var epochs = 3
    /// Optimizer steps; nil for as many as the epochs make.
    public var steps: Int?
    /// Examples of one forward pass; nil for the task's own choice.
    public var batchSize: Int?
    /// Micro-batches of `batchSize` that one optimizer step sums up.
    public var accumulation = 1
    /// Peak rate of what the method trains; nil for the method's own.
    public var learningRate: Double?
    /// Peak rate of the head, which starts from nothing.
    public var headLearningRate = 5e-4
    public var weightDecay = 0.01
    /// Share of the steps in which the learning rate rises.
    public var warmupRatio = 0.06
    /// The same as a number of steps, instead of the share.
    public var warmupSteps: Int?
    /// How the learning rate goes after that.
    public var schedule = LearningRateSchedule.Shape.linear
    /// What Adam keeps of its two moments in a step.
    public var adamBetas = (0.9, 0.999)
    /// ε of Adam; nil for 1e-8, or 1e-6 where gradients are projected, as GaLore's authors have it.
    public var adamEpsilon: Double?
    /// The largest norm of all gradients together; nil for no limit.
    public var gradientLimit: Double? = 1
    /// Tokens that an example is cut to; nil for the task's own choice.
    public var maximumLength: Int?
    /// Whether every epoch has an order of its own, instead of the data's.
    public var shuffles = true
    public var seed: UInt64 = 0
    /// Whether the backward runs every block again, which then keeps only its inputs: the same numbers
    /// in less memory and more time.
    public var activationCheckpointing = false
    /// Steps between two lines of the log.
    public var loggingSteps = 10
    /// Steps between two checkpoints; nil for none but on an interrupt.
    public var checkpointSteps: Int?
    /// Steps between two scores on the dev split; nil for one after every epoch. The run's end is scored
    /// in any case.
    public var evaluationSteps: Int?
    /// Whether the run ends with what had the lowest dev loss, instead of its last step. A copy of what
    /// trains is kept in memory, and in checkpoints.
    public var keepsBest = false
    /// Scores in a row without a lower dev loss that end the run; nil for as long as it goes.
    public var patience: Int?

    public init() {}

    /// - Parameter fewestSteps: 0 where a run may write what it starts from.
    /// - Throws: ``TrainingError/badOption(name:reason:)``.
    public func check(fewestSteps: Int = 1) throws {
        try checkCounts(fewestSteps: fewestSteps)
        try checkOptimizer()
        try require(
            4...1_000_000 ~= maximumLength ?? 4, "max-length",
            "\(maximumLength ?? 4) is not from 4 to 1000000")
    }

    private func require(_ holds: Bool, _ name: String, _ reason: String) throws {
        if !holds { throw TrainingError.badOption(name: name, reason: reason) }
    }

    private func checkCounts(fewestSteps: Int) throws {
        // The upper bounds are beyond any use, and keep products of the numbers in range.
        let counts = [
            ("epochs", epochs), ("batch-size", batchSize ?? 1),
            ("gradient-accumulation", accumulation), ("logging-steps", loggingSteps),
            ("checkpoint-steps", checkpointSteps ?? 1), ("evaluation-steps", evaluationSteps ?? 1),
            ("patience", patience ?? 1),
        ]
        for (name, value) in counts {
            try require(1...1_000_000 ~= value, name, "\(value) is not from 1 to 1000000")
        }
        for (name, value, least) in [
            ("steps", steps, fewestSteps), ("warmup-steps", warmupSteps, 0),
        ] {
            try require(
                least...1_000_000 ~= value ?? 1, name,
                "\(value ?? 1) is not from \(least) to 1000000")
        }
    }

    private func checkOptimizer() throws {
        let rates = [
            ("learning-rate", learningRate ?? 1), ("head-learning-rate", headLearningRate),
            ("gradient-limit", gradientLimit ?? 1), ("adam-epsilon", adamEpsilon ?? 1),
        ]
        for (name, value) in rates {
            let isLimit = name == "gradient-limit"
            try require(
                value > 0 && (value.isFinite || isLimit), name,
                "\(value) is not greater than 0")
        }
        try require(
            weightDecay >= 0 && weightDecay.isFinite, "weight-decay", "\(weightDecay) is negative")
        try require(
            warmupRatio >= 0 && warmupRatio <= 1, "warmup-ratio", "\(warmupRatio) is not in 0...1")
        for (name, beta) in [("adam-beta1", adamBetas.0), ("adam-beta2", adamBetas.1)] {
            try require(
                beta >= 0 && beta < 1, name, "\(beta) is not from 0 to less than 1")
        }
    }
}

/// Why a run stopped, or did not start.
public enum TrainingError: Error, Equatable, CustomStringConvertible {
    case badOption(name: String, reason: String)
    case notFinite(step: Int, learningRate: Double, checkpoint: String?)
    case interrupted(step: Int, checkpoint: String)
    case interruptedScore
    case unwritable(path: String, reason: String)
    case unreadable(path: String, reason: String)
    case tooShort(sequences: Int, length: Int)
    case noRoom(prompt: Int, new: Int, positions: Int)
    case nothingToResume(folder: String)
    case otherRun(checkpoint: String, difference: String)
    case ownFolder(path: String, of: String)
    case badCheckpoint(path: String, reason: String)

    public var description: String {
        switch self {
        case .badOption(let name, let reason): "--\(name): \(reason)"
        case .notFinite(let step, let rate, let checkpoint):
            "the loss or its gradient is not a finite number at step \(step), at learning rate \(rate); try a lower one; "
                + (checkpoint.map { "the last good checkpoint is \($0)" }
                    ?? "there is no checkpoint")
        case .interrupted(let step, let checkpoint):
            "stopped after step \(step); --resume goes on from \(checkpoint)"
        case .interruptedScore:
            "stopped in the last score; what was trained is saved, and evaluate scores it"
        case .unwritable(let path, let reason): "\(path) cannot be written: \(reason)"
        case .unreadable(let path, let reason): "\(path) cannot be read: \(reason)"
        case .tooShort(let sequences, let length):
            "the data makes \(sequences) sequence(s) of up to \(length) tokens, of which none can be "
                + "held out to score on; give more, or --dev-data, or, of long texts, a smaller "
                + "--max-length"
        case .noRoom(let prompt, let new, let positions):
            "a prompt of \(prompt) tokens and \(new) behind it are more than the model's \(positions) "
                + "positions; take a model with more, or, for commonsense, a smaller --max-length"
        case .nothingToResume(let folder): "\(folder) has no checkpoint to resume from"
        case .otherRun(let checkpoint, let difference):
            "\(checkpoint) is of a run \(difference)"
        case .ownFolder(let path, let owner):
            "\(path) is the folder of \(owner), whose files the run would replace; give --output "
                + "another"
        case .badCheckpoint(let path, let reason): "\(path): \(reason)"
        }
    }
}
