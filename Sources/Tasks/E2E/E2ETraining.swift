import DualAdapters
import DualDatasets
import DualGeneration
import DualMetrics
import DualModels
import DualTokenization
import DualTorch
import DualTraining
import Foundation

/// A run on the E2E challenge: texts about restaurants from what they have to say.
///
/// An example is the linearized meaning, the end-of-text token, a space and the text, and the
/// end-of-text token again; the loss is on the text and its end. The score decodes every meaning once
/// and compares with all its texts. Protocol: microsoft/LoRA's `examples/NLG` for GPT-2 (Hu et al.
/// 2021, arXiv:2106.09685).
public struct E2ETraining: LimitedTask {
    /// The form of the texts, in training and as references.
    public var text = E2EText.spaced
    /// The share of a target that all tokens of the vocabulary have alike.
    public var labelSmoothing = 0.1
    public var decoding = E2EDecoding()
    /// Meanings that are decoded for a score, the first of the data; nil for all.
    public var limit: Int?

    public init() {}

    public let name = "e2e"
    public let title = "E2E NLG"
    public let primaryMetric = GenerationMetric.bleu.rawValue
    public let labelCount: Int? = nil
    public let adapterTask = AdapterFolder.TaskType.causalLanguageModel
    public let headMeaning: ModelFolder.HeadMeaning? = nil
    public let defaults = (batchSize: 8, maximumLength: 512)

    public var identity: [String: String] {
        ["e2e-text": text.rawValue, "label-smoothing": "\(labelSmoothing)"]
    }

    public func read(_ data: [URL]) throws -> any TaskData {
        try check()
        return E2EData(task: self, files: try E2EFiles(trainingIn: place(data)))
    }

    public func readForScoring(_ data: [URL]) throws -> any TaskData {
        try check()
        return E2EData(task: self, files: try E2EFiles(scoringIn: place(data)))
    }

    private func place(_ data: [URL]) throws -> URL {
        guard data.count == 1 else {
            throw TrainingError.badOption(
                name: "data", reason: "e2e reads one folder, not \(data.count)")
        }
        return data[0]
    }

    /// Decoding takes long: what cannot be right is refused before.
    private func check() throws {
        guard labelSmoothing >= 0, labelSmoothing < 1 else {
            throw TrainingError.badOption(
                name: "label-smoothing",
                reason: "\(labelSmoothing) is not from 0 to less than 1")
        }
        try checkLimit()
        try decoding.options(stopTokens: []).check()
    }
}

/// Meanings with their texts.
private struct E2EData: CompletionData {
    let task: E2ETraining
    let files: E2EFiles

    func completions(with encoder: TaskEncoder) throws -> Completions {
        let examples = try examples(files.training, with: encoder)
        return Completions(
            examples,
            notes: (files.note.map { [$0] } ?? [])
                + (try examples.cutNotes(limit: encoder.maximumLength)))
    }

    func encode(
        for loaded: LoadedModel, with encoder: TaskEncoder, device: Device
    ) throws -> EncodedTask {
        let model = try loaded.causalModel()
        let training = try completions(with: encoder)
        let scoring = try examples(files.scoring, with: encoder)
        for ids in (training.examples + scoring).map(\.ids) { try model.check(ids: ids) }
        let layout = SequenceLayout(
            isPacked: false, paddingID: encoder.tokenizer.paddingID, device: device)
        let length = encoder.maximumLength
        let set = CompletionSet(
            training.examples, rowLength: length, layout: layout,
            labelSmoothing: task.labelSmoothing)
        let inputs = E2EFiles.inputs(files.scoring).prefix(task.limit ?? .max)
        let scorer = E2EScorer(
            losses: CompletionScorer(scoring, rowLength: length, layout: layout),
            prompts: try inputs.map { try prompt($0.meaning, with: encoder) },
            references: inputs.map { $0.references.map(task.text.form) },
            tokenizer: encoder.tokenizer,
            options: task.decoding.options(stopTokens: try stopTokens(of: encoder)))
        return EncodedTask(
            training: training.examples.isEmpty ? nil : set, scorer: scorer,
            notes: training.notes)
    }

    private func examples(
        _ pairs: [E2EPair], with encoder: TaskEncoder
    ) throws -> [CompletionExample] {
        try pairs.map { pair in
            let prompt = try prompt(pair.meaning, with: encoder)
            let text = " " + task.text.form(pair.text)
            let completion =
                try encoder.tokenizer.encode(text, addingSpecialTokens: false).ids
                + [try end(of: encoder)]
            let ids = prompt + completion
            let isTrained = ids.indices.map { $0 >= prompt.count }
            return CompletionExample(
                ids: Array(ids.prefix(encoder.maximumLength)),
                isTrained: Array(isTrained.prefix(encoder.maximumLength)), uncutLength: ids.count)
        }
    }

    private func prompt(
        _ meaning: MeaningRepresentation, with encoder: TaskEncoder
    ) throws -> [Int] {
        try encoder.tokenizer.encode(meaning.linearized).ids + [try end(of: encoder)]
    }

    private func end(of encoder: TaskEncoder) throws -> Int {
        guard let end = encoder.tokenizer.endOfTextID else {
            throw TrainingError.badOption(
                name: "model",
                reason: "its tokenizer names no end-of-text token, which e2e needs between a "
                    + "meaning and its text")
        }
        return end
    }

    /// The end of text, and an empty line where that is one token.
    private func stopTokens(of encoder: TaskEncoder) throws -> [Int] {
        let emptyLine = try encoder.tokenizer.encode("\n\n", addingSpecialTokens: false).ids
        let own = [try end(of: encoder)] + (emptyLine.count == 1 ? emptyLine : [])
        return own + encoder.stopTokens.filter { !own.contains($0) }
    }
}
