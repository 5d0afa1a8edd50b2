import ArgumentParser
import FineTuning

extension LearningRateSchedule.Shape: ExpressibleByArgument {}

/// How long, how fast and in which portions a run trains.
struct TrainingArguments: ParsableArguments {
    @Option(parsing: .unconditional, help: "Passes over the training examples.")
    var epochs: Int = 3

    @Option(parsing: .unconditional, help: "Optimizer steps, instead of epochs.")
    var steps: Int?

    @Option(
        parsing: .unconditional,
        help: "Examples of one forward pass. Default: 32 for sentences, 16 for commonsense, else 8."
    )
    var batchSize: Int?

    @Option(parsing: .unconditional, help: "Forward passes of one optimizer step.")
    var gradientAccumulation: Int = 1

    @Option(
        parsing: .unconditional,
        help: "Peak learning rate. Default: the method's own (duallora methods).")
    var learningRate: Double?

    @Option(parsing: .unconditional, help: "Peak learning rate of the head.")
    var headLearningRate: Double = 5e-4

    @Option(parsing: .unconditional, help: "Decoupled weight decay, not for biases and norms.")
    var weightDecay: Double = 0.01

    @Option(parsing: .unconditional, help: "Share of the steps in which the learning rate rises.")
    var warmupRatio: Double = 0.06

    @Option(
        parsing: .unconditional,
        help: "Steps in which the learning rate rises, instead of --warmup-ratio.")
    var warmupSteps: Int?

    @Option(help: "How the learning rate goes after that.")
    var schedule = LearningRateSchedule.Shape.linear

    @Option(
        name: .customLong("adam-beta1"), parsing: .unconditional,
        help: "What Adam keeps of the mean gradient in a step.")
    var adamBeta1: Double = 0.9

    @Option(
        name: .customLong("adam-beta2"), parsing: .unconditional,
        help: "What Adam keeps of the mean squared gradient in a step.")
    var adamBeta2: Double = 0.999

    @Option(
        parsing: .unconditional,
        help: "What Adam adds to the root. Default: 1e-8; 1e-6 for galore and garare.")
    var adamEpsilon: Double?

    @Option(
        parsing: .unconditional, help: "Largest norm of the gradients together; 0 for no limit.")
    var gradientLimit: Double = 1

    @Option(
        name: .customLong("max-length"), parsing: .unconditional,
        help: """
            Tokens that an example is cut to. Default: 512 for text and e2e, 1024 for instruct, 256 for \
            commonsense, 128 for sentences.
            """)
    var maximumLength: Int?

    @Flag(name: .customLong("no-shuffle"), help: "Take the examples in the order of the data.")
    var keepsOrder = false

    @Option(parsing: .unconditional, help: "Steps between two lines of the log.")
    var loggingSteps: Int = 10

    @Option(
        parsing: .unconditional, help: "Steps between two checkpoints. Default: none but on Ctrl-C."
    )
    var checkpointSteps: Int?

    @Option(
        parsing: .unconditional,
        help: "Steps between two scores on the dev split. Default: one after every epoch.")
    var evaluationSteps: Int?

    @Flag(help: "End with what had the lowest dev loss, instead of the last step.")
    var keepBest = false

    @Option(
        parsing: .unconditional,
        help: "Scores in a row without a lower dev loss that end the run. Default: no such end.")
    var patience: Int?

    @Flag(
        help:
            "Keep only the inputs of every block for the backward, which runs it again: less memory."
    )
    var activationCheckpointing = false

    @Option(parsing: .unconditional, help: "Decides every random number of the run.")
    var seed: UInt64 = 0

    var options: TrainingOptions {
        var options = TrainingOptions()
        options.epochs = epochs
        options.steps = steps
        options.batchSize = batchSize
        options.accumulation = gradientAccumulation
        options.learningRate = learningRate
        options.headLearningRate = headLearningRate
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
