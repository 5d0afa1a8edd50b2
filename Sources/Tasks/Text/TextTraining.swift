import DualAdapters
import DualDatasets
import DualModels
import DualTorch
import DualTraining
import Foundation

/// A run on plain text: every next token is predicted from those before it.
public struct TextTraining: SamplingTask {
    /// What of a file is one document.
    public var unit = PlainTextFiles.Unit.file
    /// Whether sequences lie one behind the other in a row, instead of being padded to one length.
    public var packs = false
    /// Text that scores the model; empty to hold a share of the training text's sequences out.
    public var devData: [URL] = []
    /// What is held out where there is no text to score on.
    public var heldOut = HeldOut()

    /// Sequences that score, from the first; nil for all.
    public var limit: Int?
    /// Sequences that score whose first halves the model goes on with.
    public var samples = 0

    public init() {}

    public let name = "text"
    public let title = "Text"
    public let primaryMetric = "perplexity"
    public let labelCount: Int? = nil
    public let adapterTask = AdapterFolder.TaskType.causalLanguageModel
    public let headMeaning: ModelFolder.HeadMeaning? = nil
    public let defaults = (batchSize: 8, maximumLength: 512)

    public var identity: [String: String] {
        ["documents": unit.rawValue, "packing": "\(packs)"].merging(heldOut.identity) { $1 }
    }

    public func read(_ data: [URL]) throws -> any TaskData {
        try checkSamples()
        try heldOut.check()
        let files = PlainTextFiles(unit: unit)
        let beside = try PlainTextFiles.files(.dev, of: data)
        let scoring = devData.isEmpty ? (beside == data ? nil : beside) : devData
        return TextData(
            task: self,
            training: try files.documents(in: PlainTextFiles.files(.train, of: data) ?? []),
            dev: try scoring.map { try files.documents(in: $0) })
    }

    public func readForScoring(_ data: [URL]) throws -> any TaskData {
        try checkSamples()
        guard let files = try PlainTextFiles.files(.dev, of: data) else {
            throw TaskDataError.missingFile(
                folder: data[0].relativePath, lookedFor: PlainTextFiles.devNames)
        }
        return TextData(
            task: self, training: [], dev: try PlainTextFiles(unit: unit).documents(in: files))
    }
}

/// Documents to train on, and those to score on if they are others.
private struct TextData: CompletionData {
    let task: TextTraining
    let training: [String]
    let dev: [String]?

    func completions(with encoder: TaskEncoder) throws -> Completions {
        Completions(try Self.examples(training, with: encoder))
    }

    func encode(
        for loaded: LoadedModel, with encoder: TaskEncoder, device: Device
    ) throws -> EncodedTask {
        let model = try loaded.causalModel()
        let all = try Self.examples(training, with: encoder)
        let others = try dev.map { try Self.examples($0, with: encoder) }
        let (train, score) =
            try others.map { (all, $0) }
            ?? task.heldOut.split(all, maximumLength: encoder.maximumLength, seed: encoder.seed)
        for examples in [train, score] { try model.check(examples) }
        let layout = SequenceLayout(
            isPacked: task.packs, paddingID: encoder.tokenizer.paddingID, device: device)
        let length = encoder.maximumLength
        return EncodedTask(
            training: training.isEmpty
                ? nil : CompletionSet(train, rowLength: length, layout: layout),
            scorer: score.isEmpty
                ? nil : try task.scorer(of: score, layout: layout, encoder: encoder),
            notes: others == nil ? [task.heldOut.note(scoring: score.count, of: all.count)] : [])
    }

    /// The sequences of documents, encoded on several threads.
    private static func examples(
        _ documents: [String], with encoder: TaskEncoder
    ) throws -> CompletionExamples {
        var examples = CompletionExamples()
        for result in inParallel(
            documents.count,
            { index in
                Result { try cut(documents[index], with: encoder) }
            })
        {
            for example in try result.get() { examples.append(example) }
        }
        return examples
    }

    /// A document's tokens, framed as the tokenizer frames a text, with the end-of-text token behind
    /// them, cut into sequences of the most tokens that there may be. A rest of one token has nothing to
    /// predict and is left out.
    private static func cut(
        _ document: String, with encoder: TaskEncoder
    ) throws -> [CompletionExample] {
        var ids = try encoder.tokenizer.encode(document).ids
        if let end = encoder.tokenizer.endOfTextID, ids.last != end { ids.append(end) }
        return stride(from: 0, to: ids.count, by: encoder.maximumLength).map {
            CompletionExample(Array(ids[$0..<min($0 + encoder.maximumLength, ids.count)]))
        }.filter { $0.ids.count > 1 }
    }
}
