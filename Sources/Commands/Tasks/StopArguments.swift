import ArgumentParser
import FineTuning

/// Whether answers must teach a model to stop.
struct StopArguments: TaskArguments {
    static let owners = "instruct"

    @Flag(help: "instruct: train even where no example teaches the model to stop.")
    var allowNoStop = false

    func isFor(_ task: any TrainingTask) -> Bool { task is InstructionTraining }

    func applied(to task: any TrainingTask, in data: DataArguments) -> any TrainingTask {
        guard var task = task as? InstructionTraining else { return task }
        task.allowsNoStop = allowNoStop
        return task
    }

    /// What the user gave.
    var given: [(name: String, isGiven: Bool)] { [("allow-no-stop", allowNoStop)] }
}
