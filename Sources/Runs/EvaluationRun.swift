import DualAdapters
import DualChat
import DualGGUF
import DualJSON
import DualModels
import DualTasks
import DualTokenization
import DualTorch
import DualTraining
import Foundation

/// Scores a model, with adapters if some are named, on a task's data: what `duallora evaluate` does.
public struct EvaluationRun: Sendable {
    /// The model's folder.
    public var model: URL
    /// The adapters whose changes are added, each multiplied by its weight.
    public var adapters: [AdaptedModel.Source]
    public var task: any TrainingTask
    public var data: [URL]
    /// Tokens that an example is cut to; nil for the task's own choice.
    public var maximumLength: Int?
    /// What the model is computed in; nil for the type that suits the device.
    public var computeType: DType?
    public var device = Device.cpu
    /// What the weights of linear layers but the head are quantised to; nil for what they are.
    public var quantization: BlockFormat?
    /// What puts conversations into words; nil for the template of the first adapter that has one, else
    /// the model's.
    public var chatTemplate: ChatTemplate?
    /// What the chat template may ask for besides the conversations.
    public var templateVariables: [String: TemplateValue] = [:]
    /// What a chat template that asks for the time is told; nil for now.
    public var templateDate: Date?
    /// A file for what the model predicted, a line each; nil for none.
    public var predictions: URL?

    public init(
        model: URL, adapters: [AdaptedModel.Source] = [], task: any TrainingTask, data: [URL]
    ) {
        self.model = model
        self.adapters = adapters
        self.task = task
        self.data = data
    }

    /// What an evaluation tells while it goes.
    public enum Event: Sendable {
        /// What the user should know, in a sentence.
        case note(String)
        /// The same, of what will cost the user something.
        case warning(String)
        case scoring(ScoringProgress)
    }

    /// Reads the data, loads the model and scores it.
    /// - Parameter report: gets every event, in order.
    /// - Throws: ``TrainingError``, and the errors of the files that are read.
    public func run(report: (Event) throws -> Void = { _ in }) throws -> Evaluation {
        var lengths = TrainingOptions()
        lengths.maximumLength = maximumLength
        try lengths.check()
        let examples = try task.readForScoring(data)
        let source = TokenizerSource(model: model, adapters: adapters.map(\.folder))
        let tokenizer = try source.load()
        var loading = ModelFolder.LoadOptions()
        loading.computeType = computeType
        loading.device = device
        loading.quantization = quantization
        let loaded = try AdaptedModel.load(model: model, adapters: adapters, options: loading)
        for note in loaded.notes { try report(.note(note)) }
        try loading.computeTypeChoice.remark.map { try report(Event($0)) }
        let encoder = try TaskEncoder(
            tokenizer, for: task, folder: loaded.folder, template: template(),
            maximumLength: maximumLength, positions: loaded.model.maximumLength,
            stopTokens: { source.stopTokens($0, tokenizer) })
        for note in encoder.notes { try report(.note(note)) }
        let encoded = try encoder.advising {
            try examples.encode(for: loaded.loaded, with: encoder, device: device)
        }
        for note in encoded.notes { try report(.note(note)) }
        guard let scorer = encoded.scorer else {
            throw TrainingError.badOption(name: "data", reason: "it has nothing to score on")
        }
        try scorer.check(loaded.model)
        let evaluation = try scorer.evaluate(loaded.model) { try report(.scoring($0)) }
        guard evaluation.loss.isFinite else {
            throw TrainingError.scoreNotFinite(
                loss: evaluation.loss, examples: evaluation.exampleCount)
        }
        if let predictions { try evaluation.writePredictions(to: predictions) }
        return evaluation
    }

    private func template() throws -> ChatTemplate? {
        guard task.usesTemplate else { return nil }
        var template =
            try chatTemplate
            ?? ChatTemplate.load(
                fromFirstOf: (adapters.map(\.folder) + [model]).map(ModelFiles.init(of:)))
        template?.variables = templateVariables
        template?.date = templateDate
        return template
    }
}

extension EvaluationRun.Event {
    fileprivate init(_ remark: ComputeTypeChoice.Remark) {
        switch remark {
        case .note(let text): self = .note(text)
        case .warning(let text): self = .warning(text)
        }
    }
}
