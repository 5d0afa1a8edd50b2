import DualAdapters
import DualDatasets
import DualModels
import DualRuns
import DualTorch
import DualTraining
import Foundation
import TestSupport

/// A tiny model, its tokenizer and the toy task's data, in folders of their own.
package struct Workplace {
    package static let words =
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "yes", "no"]
        + (0..<33).map { "w\($0)" }

    package let folder: TemporaryFolder
    package var model: URL { folder.file("model") }
    package var data: URL { folder.file("data") }
    package func output(_ name: String) -> URL { folder.file(name) }

    package init(
        examples: Int = 40, labels: Int = 2, dtype: DType = .float32, dropout: Double = 0.1
    ) throws {
        folder = try TemporaryFolder()
        for name in ["model", "data"] {
            try FileManager.default.createDirectory(
                at: folder.file(name), withIntermediateDirectories: true)
        }
        let bert = try Bert.tiny(labels: labels, dropout: dropout)
        for parameter in bert.parameters {
            parameter.stored = .plain(try parameter.value.to(dtype))
        }
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

    package static var options: TrainingOptions {
        var options = TrainingOptions()
        options.epochs = 2
        options.batchSize = 8
        options.learningRate = 1e-2
        options.loggingSteps = 1
        options.seed = 3
        return options
    }

    package func run(
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
    package func read(_ path: String) throws -> Data { try folder.read(path) }

    package func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: folder.file(path).path)
    }
}
