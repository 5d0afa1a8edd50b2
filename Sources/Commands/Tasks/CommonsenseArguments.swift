import ArgumentParser
import FineTuning
import Foundation

extension CommonsenseProtocol: ExpressibleByArgument {}

/// How commonsense reasoning is asked, answered and shown.
struct CommonsenseArguments: TaskArguments {
    static let owners = "commonsense"

    @Option(
        name: .customLong("protocol"),
        help: """
            commonsense: how examples are written and answers read: \
            \(CommonsenseProtocol.allValueStrings.joined(separator: ", ")); the last takes the \
            answer that the model finds most probable. Default: hira, as the paper has it.
            """)
    var preset: CommonsenseProtocol?

    func isFor(_ task: any TrainingTask) -> Bool { task is CommonsenseTraining }

    func applied(to task: any TrainingTask, in data: DataArguments) -> any TrainingTask {
        guard var task = task as? CommonsenseTraining else { return task }
        task.preset = preset ?? task.preset
        return task
    }

    /// What the user gave.
    var given: [(name: String, isGiven: Bool)] { [("protocol", preset != nil)] }
}
