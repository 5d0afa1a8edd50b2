import ArgumentParser
import FineTuning
import Foundation

extension PlainTextFiles.Unit: ExpressibleByArgument {}

/// How plain text becomes examples.
struct TextArguments: TaskArguments {
    static let owners = "text and instruct"

    @Option(
        help: """
            text: what is one document, whose tokens see nothing of another: file, paragraph or \
            line. Default: file.
            """)
    var documents: PlainTextFiles.Unit?

    @Flag(
        help: """
            text, instruct: put sequences one behind the other in rows of --max-length tokens, apart, \
            instead of padding them.
            """)
    var packing = false

    func isFor(_ task: any TrainingTask) -> Bool {
        task is TextTraining || task is InstructionTraining
    }

    func applied(to task: any TrainingTask, in data: DataArguments) -> any TrainingTask {
        task is TextTraining ? trainingTask() : task
    }

    func trainingTask() -> TextTraining {
        var task = TextTraining()
        task.unit = documents ?? task.unit
        task.packs = packing
        return task
    }

    /// What the user gave.
    var given: [(name: String, isGiven: Bool)] {
        [("documents", documents != nil), ("packing", packing)]
    }
}
