import ArgumentParser
import DualLoRA
import Foundation

/// How a run on the E2E challenge reads, decodes and shows.
struct E2EArguments: ParsableArguments {
    @Option(
        name: .customLong("e2e-text"),
        help: """
            e2e: the form of the texts: spaced (words and signs apart, as in the data of \
            microsoft/LoRA) or plain (as in the challenge's files). Default: spaced.
            """)
    var text: E2EText?

    @Option(
        name: .customLong("e2e-beams"), parsing: .unconditional,
        help: "e2e: search along so many continuations when decoding. Default: 10.")
    var beams: Int?

    @Option(
        parsing: .unconditional,
        help: "e2e: the share of a target that all tokens have alike. Default: 0.1.")
    var labelSmoothing: Double?

    func trainingTask(limit: Int?, predictions: URL?) -> E2ETraining {
        var task = E2ETraining()
        task.text = text ?? task.text
        task.decoding.beams = beams ?? task.decoding.beams
        task.labelSmoothing = labelSmoothing ?? task.labelSmoothing
        task.limit = limit
        task.predictions = predictions
        return task
    }

    /// Options that another task does not have.
    func refuse(for task: String) throws {
        let given = [
            ("e2e-text", text != nil), ("e2e-beams", beams != nil),
            ("label-smoothing", labelSmoothing != nil),
        ]
        if let (name, _) = given.first(where: \.1) {
            throw CommandError("--\(name): the task \(task) has no such option; it is e2e's")
        }
    }
}

/// What of a task that generates text is scored, and where its texts go.
struct ScoringArguments: ParsableArguments {
    @Option(parsing: .unconditional, help: "e2e: score the first so many inputs. Default: all.")
    var limit: Int?

    @Option(help: "e2e: a file for what the model wrote at the last score, a text a line.")
    var predictions: String?

    /// The file for predictions; scoring takes long, so what cannot be written is refused before.
    func predictionsFile() throws -> URL? {
        guard let predictions else { return nil }
        let file = URL(fileURLWithPath: predictions)
        var isFolder: ObjCBool = false
        let folder = file.deletingLastPathComponent().path
        guard FileManager.default.fileExists(atPath: folder) else {
            throw CommandError("--predictions: \(predictions) would lie in no folder")
        }
        if FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder),
            isFolder.boolValue
        {
            throw CommandError("--predictions: \(predictions) is a folder; name a file")
        }
        return file
    }

    /// Options that another task does not have.
    func refuse(for task: String) throws {
        let given = [("limit", limit != nil), ("predictions", predictions != nil)]
        if let (name, _) = given.first(where: \.1) {
            throw CommandError("--\(name): the task \(task) has no such option; it is e2e's")
        }
    }
}
