import ArgumentParser
import FineTuning

extension LearningRateSchedule.Shape: ExpressibleByArgument {}

/// How long, how fast and in which portions a run trains.
struct TrainingArguments: ParsableArguments {
    private static let standard = TrainingOptions()

    @Option(parsing: .unconditional, help: help("epochs"))
    var epochs = standard.epochs

    @Option(parsing: .unconditional, help: help("steps"))
    var steps: Int?

    @Option(parsing: .unconditional, help: help("batch-size"))
    var batchSize: Int?

    @Option(parsing: .unconditional, help: help("gradient-accumulation"))
    var gradientAccumulation = standard.accumulation

    @Option(parsing: .unconditional, help: help("learning-rate"))
    var learningRate: Double?

    @Option(parsing: .unconditional, help: help("weight-decay"))
    var weightDecay = standard.weightDecay

    @Option(parsing: .unconditional, help: help("warmup-ratio"))
    var warmupRatio = standard.warmupRatio

    @Option(parsing: .unconditional, help: help("warmup-steps"))
    var warmupSteps: Int?

    @Option(help: help("schedule"))
    var schedule = standard.schedule

    @Option(name: .customLong("adam-beta1"), parsing: .unconditional, help: help("adam-beta1"))
    var adamBeta1 = standard.adamBetas.0

    @Option(name: .customLong("adam-beta2"), parsing: .unconditional, help: help("adam-beta2"))
    var adamBeta2 = standard.adamBetas.1

    @Option(parsing: .unconditional, help: help("adam-epsilon"))
    var adamEpsilon: Double?

    @Option(parsing: .unconditional, help: help("gradient-limit"))
    var gradientLimit = standard.gradientLimit ?? 0

    @Option(name: .customLong("max-length"), parsing: .unconditional, help: help("max-length"))
    var maximumLength: Int?

    @Flag(name: .customLong("no-shuffle"), help: help("no-shuffle"))
    var keepsOrder = false

    @Option(parsing: .unconditional, help: help("logging-steps"))
    var loggingSteps = standard.loggingSteps

    @Option(parsing: .unconditional, help: help("checkpoint-steps"))
    var checkpointSteps: Int?

    @Option(parsing: .unconditional, help: help("evaluation-steps"))
    var evaluationSteps: Int?

    @Flag(help: help("keep-best"))
    var keepBest = false

    @Option(parsing: .unconditional, help: help("patience"))
    var patience: Int?

    @Flag(help: help("activation-checkpointing"))
    var activationCheckpointing = false

    @Option(parsing: .unconditional, help: help("seed"))
    var seed = standard.seed

    var options: TrainingOptions {
        var options = TrainingOptions()
        options.epochs = epochs
        options.steps = steps
        options.batchSize = batchSize
        options.accumulation = gradientAccumulation
        options.learningRate = learningRate
        options.weightDecay = weightDecay
        options.warmupRatio = warmupRatio
        options.warmupSteps = warmupSteps
        options.schedule = schedule
        options.adamBetas = (adamBeta1, adamBeta2)
        options.adamEpsilon = adamEpsilon
        options.gradientLimit = gradientLimit == 0 ? nil : gradientLimit
        options.maximumLength = maximumLength
        options.shuffles = !keepsOrder
        options.loggingSteps = loggingSteps
        options.checkpointSteps = checkpointSteps
        options.evaluationSteps = evaluationSteps
        options.keepsBest = keepBest
        options.patience = patience
        options.activationCheckpointing = activationCheckpointing
        options.seed = seed
        return options
    }
}

/// What an option does, as the library says it.
private func help(_ name: String) -> ArgumentHelp {
    let known = Set(TrainingOptions.settings.map(\.name))
    return ArgumentHelp(OptionSpelling.flags(in: TrainingOptions.help(name), known: known))
}
