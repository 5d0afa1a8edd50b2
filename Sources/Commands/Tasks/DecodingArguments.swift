import ArgumentParser
import FineTuning

/// How a score on the E2E challenge decodes texts.
struct DecodingArguments: TaskArguments {
    static let owners = "e2e"

    @Option(
        name: .customLong("e2e-beams"), parsing: .unconditional,
        help: "e2e: search along so many continuations when decoding. Default: 10.")
    var beams: Int?

    func isFor(_ task: any TrainingTask) -> Bool { task is E2ETraining }

    func applied(to task: any TrainingTask, in data: DataArguments) -> any TrainingTask {
        guard var task = task as? E2ETraining else { return task }
        task.decoding.beams = beams ?? task.decoding.beams
        return task
    }

    /// What the user gave.
    var given: [(name: String, isGiven: Bool)] { [("e2e-beams", beams != nil)] }
}
