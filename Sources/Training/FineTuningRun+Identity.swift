import DualAdapters
import DualTorch

extension FineTuningRun {
    /// What must be equal for a resumed run to end where this one would have.
    func identity(of trainer: Trainer, examples: Int) -> [String: String] {
        var identity = [
            "task": task.name, "method": "\(method)", "steps": "\(trainer.totalSteps)",
            "examples": "\(examples)", "tokens of its examples": "\(trainer.exampleTokens)",
            "seed": "\(options.seed)",
            "batch-size": "\(trainer.options.batchSize ?? 0)",
            "gradient-accumulation": "\(options.accumulation)",
            "gradient-limit": options.gradientLimit.map { "\($0)" } ?? "none",
            "max-length": "\(options.maximumLength ?? task.defaults.maximumLength)",
            "dtype": computeType.rawValue, "shuffling": "\(options.shuffles)",
            "targets": targets.map { "\($0)" } ?? "default",
            "modules-to-save": modulesToSave.joined(separator: ","),
        ]
        identity.merge(optimizing) { mine, _ in mine }
        identity.merge(task.identity) { mine, _ in mine }
        return identity
    }

    /// The part that decides how far each step goes, and which is the last.
    private var optimizing: [String: String] {
        var identity = [
            "learning-rate": "\(options.learningRate ?? method.defaultLearningRate)",
            "head-learning-rate": "\(options.headLearningRate)",
            "weight-decay": "\(options.weightDecay)", "warmup-ratio": "\(options.warmupRatio)",
            "warmup-steps": options.warmupSteps.map { "\($0)" } ?? "none",
            "schedule": options.schedule.rawValue,
            "adam-beta1": "\(options.adamBetas.0)", "adam-beta2": "\(options.adamBetas.1)",
            "adam-epsilon": options.adamEpsilon.map { "\($0)" } ?? "default",
            "keep-best": "\(options.keepsBest)",
        ]
        if options.keepsBest || options.patience != nil {
            identity["evaluation-steps"] = options.evaluationSteps.map { "\($0)" } ?? "none"
            identity["patience"] = options.patience.map { "\($0)" } ?? "none"
        }
        return identity
    }
}
