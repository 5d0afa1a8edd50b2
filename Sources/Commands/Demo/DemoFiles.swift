import FineTuning
import Foundation

/// The demo's folders: two data sets in CoLA's file format and a model with random weights.
struct DemoFiles {
    let root: URL

    var basic: URL { root.appendingPathComponent("data/basic") }
    var further: URL { root.appendingPathComponent("data/further") }
    var untrained: URL { root.appendingPathComponent("untrained") }
    var base: URL { root.appendingPathComponent("base") }
    func run(_ method: String) -> URL { root.appendingPathComponent(method) }
    var picture: URL { root.appendingPathComponent("demo.png") }

    /// Writes the data and the model that knows nothing yet.
    func write(seed: UInt64) throws {
        var grammar = DemoGrammar(seed: seed)
        try write(to: basic, train: 16_000, dev: 500) { grammar.basicSentence() }
        try write(to: further, train: 4_000, dev: 1_000) { grammar.furtherSentence() }
        try writeModel(seed: seed)
    }

    /// Two files in CoLA's format: source, label, the linguists' mark, sentence.
    private func write(
        to folder: URL, train: Int, dev: Int, _ sentence: () -> (text: String, isRight: Bool)
    ) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for (split, count) in [(Split.train, train), (.dev, dev)] {
            var text = ""
            for _ in 0..<count {
                let made = sentence()
                text += "demo\t\(made.isRight ? "1\t" : "0\t*")\t\(made.text)\n"
            }
            let file = folder.appendingPathComponent("\(split.rawValue).tsv")
            try AtomicFile.write(Data(text.utf8), to: file)
        }
    }

    private func writeModel(seed: UInt64) throws {
        var configuration = BertConfiguration()
        configuration.vocabularySize = DemoGrammar.vocabulary.count
        configuration.hiddenSize = 64
        configuration.layers = 2
        configuration.heads = 4
        configuration.intermediateSize = 256
        configuration.maximumPositions = 32
        configuration.hiddenDropout = 0
        configuration.attentionDropout = 0
        let model = try Bert.random(configuration, labels: 2, computeType: .float32, seed: seed)
        try FileManager.default.createDirectory(at: untrained, withIntermediateDirectories: true)
        let vocabulary = DemoGrammar.vocabulary.joined(separator: "\n") + "\n"
        let file = untrained.appendingPathComponent("vocab.txt")
        try AtomicFile.write(Data(vocabulary.utf8), to: file)
        try ModelFolder.write(
            ModelFolder.checkpointWeights(of: model), fields: configuration.fields,
            head: .classes(CoLA.categories ?? []), copying: [], to: untrained)
    }
}
