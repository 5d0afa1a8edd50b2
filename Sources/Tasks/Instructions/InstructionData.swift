import DualChat
import DualDatasets
import DualModels
import DualTokenization
import DualTorch
import DualTraining

/// Instructions to train on, and those to score on if they are others.
struct InstructionData: CompletionData {
    let task: InstructionTraining
    let training: InstructionFiles.Contents
    let dev: InstructionFiles.Contents?

    func completions(with encoder: TaskEncoder) throws -> Completions {
        let encoded = try InstructionEncoder(task, encoder).encode(training)
        return Completions(
            encoded.examples,
            notes: encoded.notes(task.truncation, limit: encoder.maximumLength)
                + templateNotes(encoder),
            skippedCount: encoded.skipped.count)
    }

    func encode(
        for loaded: LoadedModel, with encoder: TaskEncoder, device: Device
    ) throws -> EncodedTask {
        let model = try loaded.causalModel()
        let instructions = try InstructionEncoder(task, encoder)
        let learnt = try instructions.encode(training)
        let others = try dev.map { try instructions.encode($0) }
        let (train, score) = try HeldOut.split(
            learnt.examples, share: task.devShare, others: others?.examples,
            maximumLength: encoder.maximumLength)
        for example in train + score { try model.check(ids: example.ids) }
        if !training.examples.isEmpty { try checkStops(train, encoder) }
        let layout = SequenceLayout(
            isPacked: task.packs, paddingID: encoder.tokenizer.paddingID, device: device)
        let length = encoder.maximumLength
        return EncodedTask(
            training: training.examples.isEmpty
                ? nil : CompletionSet(train, rowLength: length, layout: layout),
            scorer: try task.scorer(of: score, layout: layout, encoder: encoder),
            notes: learnt.notes(task.truncation, limit: length)
                + (others?.notes(task.truncation, limit: length).map { "to score on: " + $0 } ?? [])
                + templateNotes(encoder),
            template: usesTemplate ? instructions.template : nil)
    }

    /// What the answers end with, going by one of them.
    private func end(
        of example: CompletionExample?, _ tokenizer: Tokenizer
    ) -> CompletionDataError.AnswerEnd {
        let learnt = example.map { zip($0.ids, $0.isTrained).filter(\.1).map(\.0) } ?? []
        if let special = learnt.last(where: tokenizer.isSpecial),
            let token = tokenizer.token(for: special)
        {
            return .token(token)
        }
        return .text(tokenizer.decode(learnt.suffix(12)))
    }

    /// Whether an example is put into words by a template.
    private var usesTemplate: Bool {
        (training.examples + (dev?.examples ?? [])).contains {
            switch $0.example {
            case .instruction, .conversation: true
            case .completion, .text: false
            }
        }
    }

    private func templateNotes(_ encoder: TaskEncoder) -> [String] {
        guard usesTemplate, encoder.template == nil else { return [] }
        return ["the model has no chat template; instructions are put into Alpaca's words"]
    }

    /// Refuses examples that never teach a model to end its answer.
    private func checkStops(_ examples: [CompletionExample], _ encoder: TaskEncoder) throws {
        guard !task.allowsNoStop else { return }
        let stops = Set(encoder.stopTokens)
        let isLearnt = examples.contains { example in
            zip(example.ids, example.isTrained).contains { $1 && stops.contains($0) }
        }
        guard !isLearnt else { return }
        throw CompletionDataError.noStopToken(
            stops: encoder.stopTokens.map { encoder.tokenizer.token(for: $0) ?? "\($0)" },
            end: examples.contains(where: \.isCut)
                ? .cut : end(of: examples.first, encoder.tokenizer))
    }
}
