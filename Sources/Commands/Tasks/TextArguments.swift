import ArgumentParser
import FineTuning
import Foundation

extension PlainTextFiles.Unit: ExpressibleByArgument {}
extension HeldOut.Rows: ExpressibleByArgument {}

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

    @Option(parsing: .upToNextOption, help: "text, instruct: files to score on.")
    var devData: [String] = []

    @Option(
        parsing: .unconditional,
        help: """
            text, instruct: the share of the examples to score on where there are no others; 0 for \
            none. Default: 0.05.
            """)
    var devShare: Double?

    @Option(
        help: """
            text, instruct: which examples are held out to score on: drawn, by --seed, or last, those at \
            the end. Default: drawn.
            """)
    var devRows: HeldOut.Rows?

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
        task.devData = devPlaces
        task.heldOut = heldOut(task.heldOut)
        return task
    }

    /// What is held out, as the user says it.
    func heldOut(_ standard: HeldOut) -> HeldOut {
        var heldOut = standard
        heldOut.share = devShare ?? heldOut.share
        heldOut.rows = devRows ?? heldOut.rows
        return heldOut
    }

    var devPlaces: [URL] { devData.map { URL(fileURLWithPath: $0) } }

    /// What the user gave.
    var given: [(name: String, isGiven: Bool)] {
        [
            ("documents", documents != nil), ("packing", packing), ("dev-data", !devData.isEmpty),
            ("dev-share", devShare != nil), ("dev-rows", devRows != nil),
        ]
    }
}
