import ArgumentParser
import FineTuning
import Foundation

/// How the texts of the E2E challenge are read.
struct E2EArguments: TaskArguments {
    static let owners = "e2e"

    @Option(
        name: .customLong("e2e-text"),
        help: """
            e2e: the form of the texts: spaced (words and signs apart, as in the data of \
            microsoft/LoRA) or plain (as in the challenge's files). Default: spaced.
            """)
    var text: E2EText?

    func isFor(_ task: any TrainingTask) -> Bool { task is E2ETraining }

    func applied(to task: any TrainingTask, in data: DataArguments) -> any TrainingTask {
        guard var task = task as? E2ETraining else { return task }
        task.text = text ?? task.text
        return task
    }

    /// What the user gave.
    var given: [(name: String, isGiven: Bool)] { [("e2e-text", text != nil)] }
}
