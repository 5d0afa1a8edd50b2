import ArgumentParser
import FineTuning

/// Options that only some tasks have.
protocol TaskArguments: ParsableArguments {
    /// The tasks that have them, in words.
    static var owners: String { get }

    /// What the user gave, by the names of the options.
    var given: [(name: String, isGiven: Bool)] { get }

    func isFor(_ task: any TrainingTask) -> Bool

    /// A task with what the user says; another task as it is.
    /// - Parameter data: the other options of the task.
    func applied(to task: any TrainingTask, in data: DataArguments) throws -> any TrainingTask
}

extension TaskArguments {
    var firstGiven: String? { given.first(where: \.isGiven)?.name }
}
