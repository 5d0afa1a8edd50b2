import DualChat
import DualDatasets
import DualModels
import DualTokenization
import DualTorch
import DualTraining
import Foundation

/// Instructions to train on, and those to score on if they are others.
struct InstructionData: CompletionData {
    let task: InstructionTraining
    /// Files of rows; none where only a score is wanted.
    let training: [URL]
    let dev: [URL]?

    func completions(with encoder: TaskEncoder) throws -> Completions {
        let encoded = try InstructionEncoder(task, encoder).encode(training)
        return Completions(
            encoded.examples,
            notes: encoded.notes(task.truncation, limit: encoder.maximumLength)
                + templateNotes([encoded], encoder),
            skippedCount: encoded.skippedCount)
    }

    func encode(
        for loaded: LoadedModel, with encoder: TaskEncoder, device: Device
    ) throws -> EncodedTask {
        let model = try loaded.causalModel()
        let instructions = try InstructionEncoder(task, encoder)
        let learnt = try instructions.encode(training)
        let others = try dev.map { try instructions.encode($0) }
        let length = encoder.maximumLength
        let (train, score) =
            try others.map { (learnt.examples, $0.examples) }
            ?? task.heldOut.split(learnt.examples, maximumLength: length, seed: encoder.seed)
        for examples in [train, score] { try model.check(examples) }
        if !training.isEmpty { try checkStops(train, encoder) }
        let layout = SequenceLayout(
            isPacked: task.packs, paddingID: encoder.tokenizer.paddingID, device: device)
        let parts = [learnt] + (others.map { [$0] } ?? [])
        return EncodedTask(
            training: training.isEmpty
                ? nil : CompletionSet(train, rowLength: length, layout: layout),
            scorer: score.isEmpty
                ? nil : try task.scorer(of: score, layout: layout, encoder: encoder),
            notes: learnt.notes(task.truncation, limit: length)
                + scoringNotes(others, of: learnt, scoring: score.count, limit: length)
                + templateNotes(parts, encoder),
            template: parts.contains(where: \.usesTemplate) ? instructions.template : nil)
    }

    /// What there is to know of the examples that score.
    private func scoringNotes(
        _ others: EncodedInstructions?, of learnt: EncodedInstructions, scoring: Int, limit: Int
    ) -> [String] {
        guard let others else {
            return [task.heldOut.note(scoring: scoring, of: learnt.examples.count)]
        }
        return others.notes(task.truncation, limit: limit).map { "to score on: " + $0 }
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

    private func templateNotes(
        _ parts: [EncodedInstructions], _ encoder: TaskEncoder
    ) -> [String] {
        guard parts.contains(where: \.usesTemplate), encoder.template == nil else { return [] }
        return ["the model has no chat template; instructions are put into Alpaca's words"]
    }

    /// Refuses examples that never teach a model to end its answer.
    private func checkStops(_ examples: CompletionExamples, _ encoder: TaskEncoder) throws {
        guard !task.allowsNoStop else { return }
        let stops = Set(encoder.stopTokens)
        guard !examples.indices.contains(where: { examples.learns(stops, in: $0) }) else { return }
        throw CompletionDataError.noStopToken(
            stops: encoder.stopTokens.map { encoder.tokenizer.token(for: $0) ?? "\($0)" },
            end: examples.cutCount > 0
                ? .cut : end(of: examples.first, encoder.tokenizer))
    }
}
