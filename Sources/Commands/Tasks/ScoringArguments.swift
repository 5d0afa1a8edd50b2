import ArgumentParser
import FineTuning
import Foundation

/// What of a task that generates text is scored, and where its texts go.
struct ScoringArguments: TaskArguments {
    static let owners = "e2e and commonsense"

    @Option(
        parsing: .unconditional,
        help: """
            e2e, commonsense: score the first so many inputs, of commonsense of each set. Default: all.
            """)
    var limit: Int?

    @Option(
        help: """
            e2e, commonsense: a file for what the model wrote at the last score: a text a line, or for \
            commonsense a JSON object with prompt, text, answer and the right one.
            """, completion: .file())
    var predictions: String?

    func isFor(_ task: any TrainingTask) -> Bool {
        task is E2ETraining || task is CommonsenseTraining
    }

    func applied(to task: any TrainingTask, in data: DataArguments) -> any TrainingTask {
        if var task = task as? E2ETraining {
            task.limit = limit
            return task
        }
        guard var task = task as? CommonsenseTraining else { return task }
        task.limit = limit
        return task
    }

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

    /// What the user gave.
    var given: [(name: String, isGiven: Bool)] {
        [("limit", limit != nil), ("predictions", predictions != nil)]
    }
}
