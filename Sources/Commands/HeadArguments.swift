import ArgumentParser
import FineTuning

/// How fast the head of a task trains.
struct HeadArguments: ParsableArguments {
    @Option(parsing: .unconditional, help: ArgumentHelp(TrainingOptions.help("head-learning-rate")))
    var headLearningRate = TrainingOptions().headLearningRate

    func applied(to options: TrainingOptions) -> TrainingOptions {
        var options = options
        options.headLearningRate = headLearningRate
        return options
    }
}
