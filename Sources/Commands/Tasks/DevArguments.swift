import ArgumentParser
import FineTuning
import Foundation

extension HeldOut.Rows: ExpressibleByArgument {}

/// What a run on text is scored on.
struct DevArguments: TaskArguments {
    static let owners = "text and instruct"

    @Option(
        parsing: .upToNextOption, help: "text, instruct: files to score on.", completion: .file())
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
            """, completion: .list(HeldOut.Rows.allCases.map(\.rawValue)))
    var devRows: HeldOut.Rows?

    func isFor(_ task: any TrainingTask) -> Bool {
        task is TextTraining || task is InstructionTraining
    }

    func applied(to task: any TrainingTask, in data: DataArguments) -> any TrainingTask {
        if let task = task as? TextTraining { return applied(to: task) }
        guard var task = task as? InstructionTraining else { return task }
        task.devData = places
        task.heldOut = heldOut(task.heldOut)
        return task
    }

    func applied(to task: TextTraining) -> TextTraining {
        var task = task
        task.devData = places
        task.heldOut = heldOut(task.heldOut)
        return task
    }

    private func heldOut(_ standard: HeldOut) -> HeldOut {
        var heldOut = standard
        heldOut.share = devShare ?? heldOut.share
        heldOut.rows = devRows ?? heldOut.rows
        return heldOut
    }

    private var places: [URL] { devData.map { URL(fileURLWithPath: $0) } }

    /// What the user gave.
    var given: [(name: String, isGiven: Bool)] {
        [
            ("dev-data", !devData.isEmpty), ("dev-share", devShare != nil),
            ("dev-rows", devRows != nil),
        ]
    }
}
