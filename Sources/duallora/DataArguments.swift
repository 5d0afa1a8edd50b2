import ArgumentParser
import DualLoRA
import Foundation

extension PlainTextFiles.Unit: ExpressibleByArgument {}

/// The task of a run and where its data lies.
struct DataArguments: ParsableArguments {
    private static let tasks = TaskRegistry.tasks.map { $0.name } + ["text", "e2e"]

    @Option(help: "The task: \(tasks.joined(separator: ", ")).")
    var task: String

    @Option(
        parsing: .upToNextOption,
        help: """
            Folder of the task's files, as GLUE and the E2E challenge name them; for text, files, or \
            a folder with train.txt and dev.txt.
            """)
    var data: [String]

    @OptionGroup var text: TextArguments

    @OptionGroup var e2e: E2EArguments

    @OptionGroup var scoring: ScoringArguments

    var places: [URL] { data.map { URL(fileURLWithPath: $0) } }

    func trainingTask() throws -> any TrainingTask {
        if task == "e2e" {
            try text.refuse(for: task)
            return e2e.trainingTask(
                limit: scoring.limit, predictions: try scoring.predictionsFile())
        }
        try e2e.refuse(for: task)
        try scoring.refuse(for: task)
        if task == "text" { return try text.trainingTask() }
        try text.refuse(for: task)
        return SentenceTraining(try TaskRegistry.task(named: task))
    }
}

/// How plain text becomes examples.
struct TextArguments: ParsableArguments {
    @Option(
        help: """
            text: what is one document, whose tokens see nothing of another: file, paragraph or \
            line. Default: file.
            """)
    var documents: PlainTextFiles.Unit?

    @Flag(
        help: """
            text: put sequences one behind the other in rows of --max-length tokens, apart, instead \
            of padding them.
            """)
    var packing = false

    @Option(parsing: .upToNextOption, help: "text: files to score on.")
    var devData: [String] = []

    @Option(
        parsing: .unconditional,
        help: """
            text: the share of the sequences, from the end, to score on where there is no other \
            text. Default: 0.05.
            """)
    var devShare: Double?

    func trainingTask() throws -> any TrainingTask {
        var task = TextTraining()
        task.unit = documents ?? task.unit
        task.packs = packing
        task.devData = devData.map { URL(fileURLWithPath: $0) }
        task.devShare = devShare ?? task.devShare
        return task
    }

    /// Options that another task does not have.
    func refuse(for task: String) throws {
        let given = [
            ("documents", documents != nil), ("packing", packing), ("dev-data", !devData.isEmpty),
            ("dev-share", devShare != nil),
        ]
        if let (name, _) = given.first(where: \.1) {
            throw CommandError("--\(name): the task \(task) has no such option; it is text's")
        }
    }
}
