import DualAdapters
import DualModels
import DualTasks
import DualTokenization
import DualTorch
import Foundation

/// A run on plain text: every next token is predicted from those before it.
public struct TextTraining: TrainingTask {
    /// What of a file is one document.
    public var unit = PlainTextFiles.Unit.file
    /// Whether sequences lie one behind the other in a row, instead of being padded to one length.
    public var packs = false
    /// Text that scores the model; empty to hold a share of the training text's sequences out.
    public var devData: [URL] = []
    /// The share that is held out, from the end, where there is no text to score on.
    public var devShare = 0.05

    public init() {}

    public let name = "text"
    public let title = "Text"
    public let primaryMetric = "perplexity"
    public let labelCount: Int? = nil
    public let adapterTask = AdapterFolder.TaskType.causalLanguageModel
    public let headMeaning: ModelFolder.HeadMeaning? = nil
    public let defaults = (batchSize: 8, maximumLength: 512)

    public var identity: [String: String] {
        ["documents": unit.rawValue, "packing": "\(packs)", "dev-share": "\(devShare)"]
    }

    public func read(_ data: [URL]) throws -> any TaskData {
        guard devShare > 0, devShare < 1 else {
            throw TrainingError.badOption(
                name: "dev-share", reason: "\(devShare) is not between 0 and 1")
        }
        let files = PlainTextFiles(unit: unit)
        let beside = try PlainTextFiles.files(.dev, of: data)
        let scoring = devData.isEmpty ? (beside == data ? nil : beside) : devData
        return TextData(
            task: self,
            training: try files.documents(in: PlainTextFiles.files(.train, of: data) ?? []),
            dev: try scoring.map { try files.documents(in: $0) })
    }

    public func readForScoring(_ data: [URL]) throws -> any TaskData {
        guard let files = try PlainTextFiles.files(.dev, of: data) else {
            throw TaskDataError.missingFile(
                folder: data[0].relativePath, lookedFor: PlainTextFiles.devNames)
        }
        return TextData(
            task: self, training: [], dev: try PlainTextFiles(unit: unit).documents(in: files))
    }
}

/// Documents to train on, and those to score on if they are others.
private struct TextData: TaskData {
    let task: TextTraining
    let training: [String]
    let dev: [String]?

    func encode(
        for loaded: LoadedModel, with tokenizer: Tokenizer, maximumLength: Int, device: Device
    ) throws -> (training: (any TrainingSet)?, scorer: any Scorer) {
        let model = try loaded.causalModel()
        let limit = min(maximumLength, model.maximumLength ?? maximumLength)
        func sequences(_ documents: [String]) throws -> [[Int]] {
            try documents.flatMap {
                try TextSequences.cut($0, with: tokenizer, for: model, length: limit)
            }
        }
        var train = try sequences(training)
        var score = try dev.map(sequences)
        if score == nil {
            let held = max(1, Int((Double(train.count) * task.devShare).rounded()))
            guard held < train.count else {
                throw TrainingError.tooShort(
                    sequences: train.count, length: limit)
            }
            score = Array(train.suffix(held))
            train.removeLast(held)
        }
        let layout = SequenceLayout(
            isPacked: task.packs, paddingID: tokenizer.paddingID, device: device)
        let scorer = PerplexityScorer(score ?? [], rowLength: limit, layout: layout)
        guard !training.isEmpty else { return (nil, scorer) }
        return (TextSet(train, rowLength: limit, layout: layout), scorer)
    }
}

/// Documents as sequences of tokens.
enum TextSequences {
    /// A document's tokens, framed as the tokenizer frames a text, with the end-of-text token behind
    /// them, cut into sequences of at most `length` tokens. A rest of one token has nothing to
    /// predict and is left out.
    static func cut(
        _ document: String, with tokenizer: Tokenizer, for model: any CausalModel, length: Int
    ) throws -> [[Int]] {
        var ids = try tokenizer.encode(document).ids
        if let end = tokenizer.endOfTextID, ids.last != end { ids.append(end) }
        if let strange = ids.first(where: { $0 >= model.vocabularySize }) {
            throw ModelError.unknownToken(id: strange, vocabulary: model.vocabularySize)
        }
        return stride(from: 0, to: ids.count, by: length).map {
            Array(ids[$0..<min($0 + length, ids.count)])
        }.filter { $0.count > 1 }
    }
}
