import ArgumentParser
import FineTuning
import Foundation

/// What a run on text is scored on.
struct DevArguments: TaskArguments {
    static let owners = "text and instruct"

    @Option(
        parsing: .upToNextOption, help: "text, instruct: files to score on.", completion: .file())
    var devData: [String] = []

    @Option(
        parsing: .unconditional,
        help: """
            text, instruct: the share of the examples, from the end, to score on where there are no \
            others. Default: 0.05.
            """)
    var devShare: Double?

    func isFor(_ task: any TrainingTask) -> Bool {
        task is TextTraining || task is InstructionTraining
    }

    func applied(to task: any TrainingTask, in data: DataArguments) -> any TrainingTask {
        if let task = task as? TextTraining { return applied(to: task) }
        guard var task = task as? InstructionTraining else { return task }
        task.devData = places
        task.devShare = devShare ?? task.devShare
        return task
    }

    func applied(to task: TextTraining) -> TextTraining {
        var task = task
        task.devData = places
        task.devShare = devShare ?? task.devShare
        return task
    }

    private var places: [URL] { devData.map { URL(fileURLWithPath: $0) } }

    /// What the user gave.
    var given: [(name: String, isGiven: Bool)] {
        [("dev-data", !devData.isEmpty), ("dev-share", devShare != nil)]
    }
}
