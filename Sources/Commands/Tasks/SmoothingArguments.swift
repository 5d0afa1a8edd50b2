import ArgumentParser
import FineTuning

/// How the targets of the E2E challenge are smoothed.
struct SmoothingArguments: TaskArguments {
    static let owners = "e2e"

    @Option(
        parsing: .unconditional,
        help: "e2e: the share of a target that all tokens have alike. Default: 0.1.")
    var labelSmoothing: Double?

    func isFor(_ task: any TrainingTask) -> Bool { task is E2ETraining }

    func applied(to task: any TrainingTask, in data: DataArguments) -> any TrainingTask {
        guard var task = task as? E2ETraining else { return task }
        task.labelSmoothing = labelSmoothing ?? task.labelSmoothing
        return task
    }

    /// What the user gave.
    var given: [(name: String, isGiven: Bool)] { [("label-smoothing", labelSmoothing != nil)] }
}
