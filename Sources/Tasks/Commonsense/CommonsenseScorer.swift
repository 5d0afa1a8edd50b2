import DualDatasets
import DualGeneration
import DualModels
import DualTorch
import DualTraining

/// Lets a model answer the questions of the test sets, and counts what it gets right.
public struct CommonsenseScorer: Scorer {
    /// A question of a test set, in tokens.
    struct Question {
        /// The number of its set.
        let set: Int
        let example: CommonsenseExample
        let prompt: [Int]
    }

    let sets: [CommonsenseSet]
    let questions: [Question]
    /// What the loss is of.
    let losses: CompletionScorer
    let encoder: CommonsenseEncoder
    let device: Device

    /// Prompts that are answered at a time: which it is changes no answer.
    private static let batchSize = 16

    public let isCostly = true

    public func check(_ model: any TransformerModel) throws {
        var new = options.maximumNewTokens ?? 0
        if encoder.preset == .likelihood {
            new = try sets.flatMap(\.labels).map { try encoder.answer($0).count }.max() ?? 0
        }
        try model.checkRoom(for: new, behind: questions.map(\.prompt))
    }

    public func add(to fingerprint: inout Fingerprint) { losses.add(to: &fingerprint) }

    public func loss(
        of model: any TransformerModel, progress: (ScoringProgress) throws -> Void = { _ in }
    ) throws -> Double {
        try losses.evaluate(model, progress: progress).loss
    }

    public func evaluate(
        _ model: any TransformerModel, progress: (ScoringProgress) throws -> Void = { _ in }
    ) throws -> Evaluation {
        guard let causal = model as? any CausalModel else {
            throw ModelError.noHead(folder: "this model")
        }
        let loss = try losses.evaluate(model, progress: progress).loss
        let answers =
            encoder.preset == .likelihood
            ? try comparedAnswers(causal, progress) : try writtenAnswers(causal, progress)
        return Evaluation(
            loss: loss, metrics: metrics(answers), exampleCount: answers.count,
            predictions: answers.map { $0.line(encoder.preset) })
    }

    /// Questions of like length together.
    private var batches: [[Int]] {
        BatchPlan.byLength(questions.map(\.prompt.count), batchSize: Self.batchSize)
    }

    /// What the model writes behind each prompt: beam search, as both presets decode.
    private func writtenAnswers(
        _ model: any CausalModel, _ progress: (ScoringProgress) throws -> Void
    ) throws -> [CommonsenseAnswer] {
        let generator = TextGenerator(model: model)
        var answers = [CommonsenseAnswer?](repeating: nil, count: questions.count)
        var done = 0
        for indices in batches {
            let generations = try generator.generate(
                ids: indices.map { questions[$0].prompt }, options,
                at: ScoringProgress(stage: .answers, done: done, total: questions.count), progress)
            for (index, generation) in zip(indices, generations) {
                let question = questions[index]
                let text = encoder.response(prompt: question.prompt, new: generation.ids)
                answers[index] = CommonsenseAnswer(
                    question, of: sets[question.set], text: text,
                    answer: sets[question.set].answer(in: text))
            }
            done += indices.count
            try progress(
                ScoringProgress(stage: .answers, done: done, total: questions.count))
        }
        return answers.compactMap(\.self)
    }

    /// Beams, and tokens at most. LLM-Adapters' evaluation names no token that ends a text. HiRA's
    /// samples along its beams at a temperature of 0.1, where nothing else is said; what it follows
    /// here is the search without draws.
    private var options: GenerationOptions {
        var options = GenerationOptions()
        options.beams = 4
        options.batchSize = Self.batchSize
        guard encoder.preset == .llmAdapters else {
            options.maximumNewTokens = CommonsenseEncoder.responseLimit
            options.stopTokens = encoder.stopTokens
            return options
        }
        options.maximumNewTokens = 32
        return options
    }

    /// The answers that the model finds most probable.
    private func comparedAnswers(
        _ model: any CausalModel, _ progress: (ScoringProgress) throws -> Void
    ) throws -> [CommonsenseAnswer] {
        let likelihoods = AnswerLikelihoods(model: model, device: device)
        var answers = [CommonsenseAnswer?](repeating: nil, count: questions.count)
        var done = 0
        for indices in batches {
            let choices = indices.map {
                sets[questions[$0].set].choices(of: questions[$0].example)
            }
            let asked = try zip(indices, choices).map { index, choices in
                AnswerLikelihoods.Question(
                    prompt: questions[index].prompt, answers: try choices.map(encoder.answer))
            }
            for question in asked {
                for answer in question.answers { try model.check(ids: question.prompt + answer) }
            }
            for (number, sums) in try likelihoods(asked).enumerated() {
                let question = questions[indices[number]]
                answers[indices[number]] = CommonsenseAnswer(
                    question, of: sets[question.set], choices: choices[number],
                    logProbabilities: sums, lengths: asked[number].answers.map(\.count))
            }
            done += indices.count
            try progress(
                ScoringProgress(stage: .answers, done: done, total: questions.count))
        }
        return answers.compactMap(\.self)
    }

    /// The share of right answers of each set and the plain mean of the sets; of one set alone, its
    /// share.
    private func metrics(_ answers: [CommonsenseAnswer]) -> [(name: String, value: Double)] {
        var metrics = accuracies(answers, suffix: "") { $0.isRight }
        if encoder.preset == .likelihood {
            metrics += accuracies(answers, suffix: "-normalized") { $0.isRightByToken }
        }
        return metrics
    }

    private func accuracies(
        _ answers: [CommonsenseAnswer], suffix: String, _ isRight: (CommonsenseAnswer) -> Bool
    ) -> [(name: String, value: Double)] {
        let shares = sets.map { set in
            let own = answers.filter { $0.set == set }
            return Double(own.count(where: isRight)) / Double(own.count)
        }
        guard shares.count > 1 else { return [("accuracy" + suffix, shares.first ?? .nan)] }
        return [("average" + suffix, shares.reduce(0, +) / Double(shares.count))]
            + zip(sets, shares).map { ($0.name + suffix, $1) }
    }
}
