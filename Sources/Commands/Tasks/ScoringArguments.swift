import ArgumentParser
import FineTuning
import Foundation

/// How much of the data is scored, and where what the model says goes.
struct ScoringArguments: TaskArguments {
    static let owners = "the package's own tasks"

    @Option(
        parsing: .unconditional,
        help: """
            Score the first so many examples, of commonsense of each set. Default: all.
            """)
    var limit: Int?

    @Option(
        help: """
            A file for what the model says at the last score, a line for each example that scores. \
            Sentences: the label; e2e: the text; others: a JSON object with prompt, text and what is right.
            """, completion: .file())
    var predictions: String?

    @Option(
        parsing: .unconditional,
        help: """
            Show the first so many texts that the model writes at the last score. For text and instruct it \
            writes some for this alone, of at most 256 tokens: behind the first half of a sequence, or as \
            the last answer. Default: none.
            """)
    var samples: Int?

    func isFor(_ task: any TrainingTask) -> Bool { task is any LimitedTask }

    func applied(to task: any TrainingTask, in data: DataArguments) throws -> any TrainingTask {
        guard var task = task as? any LimitedTask else { return task }
        if let samples, samples < 0 {
            throw CommandError("--samples: \(samples) is negative")
        }
        if samples != nil, task is SentenceTraining {
            throw CommandError("--samples: the task \(task.name) writes no texts to show")
        }
        task.limit = limit
        guard var sampling = task as? any SamplingTask else { return task }
        sampling.samples = predictions == nil ? samples ?? 0 : .max
        return sampling
    }

    /// Shows what the model wrote.
    func show(_ predictions: [String]) {
        for (index, text) in predictions.prefix(samples ?? 0).enumerated() {
            print("\nsample \(index + 1): \(text)")
        }
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
        [
            ("limit", limit != nil), ("predictions", predictions != nil),
            ("samples", samples != nil),
        ]
    }
}
