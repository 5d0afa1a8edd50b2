import DualDatasets
import DualModels
import DualTorch
import DualTraining

/// Examples of commonsense reasoning: those that train, those whose loss is told, and the test sets'.
struct CommonsenseData: CompletionData {
    let task: CommonsenseTraining
    let folder: CommonsenseFolder
    let training: [CommonsenseExample]
    let dev: [CommonsenseExample]
    let tests: [(set: CommonsenseSet, examples: [CommonsenseExample])]

    func completions(with encoder: TaskEncoder) throws -> Completions {
        let writer = CommonsenseEncoder(task.preset, with: encoder)
        let examples = try training.map(writer.trainingExample)
        return Completions(
            examples, notes: notes + (try examples.cutNotes(limit: encoder.maximumLength)))
    }

    func encode(
        for loaded: LoadedModel, with encoder: TaskEncoder, device: Device
    ) throws -> EncodedTask {
        let model = try loaded.causalModel()
        let writer = CommonsenseEncoder(task.preset, with: encoder)
        let layout = SequenceLayout(
            isPacked: false, paddingID: encoder.tokenizer.paddingID, device: device)
        let train = try completions(with: encoder)
        let score = try dev.map(writer.trainingExample)
        let questions = try tests.enumerated().flatMap { number, test in
            try test.examples.map {
                CommonsenseScorer.Question(
                    set: number, example: $0, prompt: try writer.testPrompt($0))
            }
        }
        for ids in (train.examples + score).map(\.ids) + questions.map(\.prompt) {
            try model.check(ids: ids)
        }
        let length = encoder.maximumLength
        return EncodedTask(
            training: training.isEmpty
                ? nil : CompletionSet(train.examples, rowLength: length, layout: layout),
            scorer: CommonsenseScorer(
                sets: tests.map(\.set), questions: questions,
                losses: CompletionScorer(score, rowLength: length, layout: layout),
                encoder: writer, device: device, record: task.record),
            notes: train.notes)
    }

    /// What the numbers are of.
    private var notes: [String] {
        var notes: [String] = []
        if !training.isEmpty {
            let file = folder.mergedFile.map { " of \($0.lastPathComponent)" } ?? ""
            notes.append(
                "\(dev.count) of \(training.count + dev.count) training examples\(file) are held out "
                    + "for the dev loss")
        }
        let missing = folder.missing(.test)
        if folder.sets.count > 1, !missing.isEmpty {
            notes.append(
                "the average is over \(tests.count) of \(folder.sets.count) sets: no test.json of "
                    + missing.map(\.title).joined(separator: ", "))
        }
        let untrained = folder.missing(.train).filter { set in tests.contains { $0.set == set } }
        if !training.isEmpty, folder.mergedFile == nil, !untrained.isEmpty {
            notes.append(
                "no train.json of " + untrained.map(\.title).joined(separator: ", ")
                    + ", which is scored all the same")
        }
        if let limit = task.limit {
            notes.append("only the first \(limit) test examples of each set are scored")
        }
        return notes
    }
}
