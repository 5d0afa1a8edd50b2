import DualAdapters
import DualDatasets
import DualModels
import DualRuns
import DualTasks
import DualTorch
import DualTraining
import Foundation
import TestSupport

/// A task that a tiny model can learn: whether a sentence has the word "yes".
enum ToyTask: SentenceTask {
    static let name = "toy"
    static let title = "Toy"
    static let categories: [String]? = ["no", "yes"]
    static let primaryMetric = "accuracy"

    /// One example a line: the label, a tab, the sentence.
    static func examples(_ split: Split, in folder: URL) throws -> [Example] {
        let text = try String(
            contentsOf: folder.appendingPathComponent("\(split.rawValue).tsv"), encoding: .utf8)
        return text.split(separator: "\n").map { line in
            let columns = line.split(separator: "\t")
            return Example(text: String(columns[1]), label: .category(columns[0] == "1" ? 1 : 0))
        }
    }

    static func metrics(
        predictions: [Label], labels: [Label]
    ) throws -> [(name: String, value: Double)] {
        let right = zip(predictions, labels).filter { $0 == $1 }.count
        return [("accuracy", Double(right) / Double(labels.count)), ("undefined", .nan)]
    }
}

/// The same sentences with a number to predict: the share of the word "yes".
enum ToyScoreTask: SentenceTask {
    static let name = "toy-score"
    static let title = "Toy score"
    static let categories: [String]? = nil
    static let primaryMetric = "error"

    static func examples(_ split: Split, in folder: URL) throws -> [Example] {
        try ToyTask.examples(split, in: folder).map {
            let words = $0.text.split(separator: " ")
            let share = Double(words.filter { $0 == "yes" }.count) / Double(words.count)
            return Example(text: $0.text, label: .score(3 + share))
        }
    }

    static func metrics(
        predictions: [Label], labels: [Label]
    ) throws -> [(name: String, value: Double)] {
        let errors = zip(predictions, labels).map { pair -> Double in
            guard case (.score(let a), .score(let b)) = pair else { return .nan }
            return abs(a - b)
        }
        return [("error", errors.reduce(0, +) / Double(errors.count))]
    }
}

/// A tiny model, its tokenizer and the toy task's data, in folders of their own.
struct Workplace {
    static let words =
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "yes", "no"]
        + (0..<33).map { "w\($0)" }

    let folder: TemporaryFolder
    var model: URL { folder.file("model") }
    var data: URL { folder.file("data") }
    func output(_ name: String) -> URL { folder.file(name) }

    init(examples: Int = 40, labels: Int = 2, dtype: DType = .float32, dropout: Double = 0.1) throws
    {
        folder = try TemporaryFolder()
        for name in ["model", "data"] {
            try FileManager.default.createDirectory(
                at: folder.file(name), withIntermediateDirectories: true)
        }
        let bert = try Bert.tiny(labels: labels, dropout: dropout)
        for parameter in bert.parameters { parameter.value = try parameter.value.to(dtype) }
        try bert.write(to: model)
        try folder.write(Self.words.joined(separator: "\n") + "\n", to: "model/vocab.txt")
        try folder.write(Self.sentences(examples, seed: 1), to: "data/train.tsv")
        try folder.write(Self.sentences(16, seed: 1000), to: "data/dev.tsv")
    }

    private static func sentences(_ count: Int, seed: UInt64) throws -> String {
        try (0..<count).map { index in
            let length = 3 + index % 5
            let ids = try seededIntegers(length, in: 7..<40, seed: seed &+ UInt64(index))
            var sentence = ids.map { words[$0] }
            sentence[index % length] = index % 2 == 0 ? "yes" : "no"
            return "\(1 - index % 2)\t\(sentence.joined(separator: " "))\n"
        }.joined()
    }

    static var options: TrainingOptions {
        var options = TrainingOptions()
        options.epochs = 2
        options.batchSize = 8
        options.learningRate = 1e-2
        options.loggingSteps = 1
        options.seed = 3
        return options
    }

    func run(
        _ method: any FineTuningMethod = DualLoRA(magnitudeRank: 2, directionRank: 2, gateSteps: 2),
        task: any SentenceTask.Type = ToyTask.self, to output: String,
        _ change: (inout FineTuningRun) -> Void = { _ in }
    ) -> FineTuningRun {
        var run = FineTuningRun(
            model: model, task: task, data: data, method: method, output: self.output(output),
            options: Self.options)
        run.computeType = .float32
        change(&run)
        return run
    }

    /// A file that a run left.
    func read(_ path: String) throws -> Data { try folder.read(path) }

    func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: folder.file(path).path)
    }
}

/// Counts calls, for `shouldStop`.
final class StopAfter {
    private var left: Int
    init(_ steps: Int) { left = steps }
    func callAsFunction() -> Bool {
        left -= 1
        return left == 0
    }
}
