import DualModels
import DualModules
import DualTorch
import DualTraining

/// How probable a model finds each of several answers to a prompt.
///
/// A prompt is read once for all of its answers, with the tokens that they begin with alike; only what
/// differs is read answer by answer.
struct AnswerLikelihoods {
    let model: any CausalModel
    let device: Device

    /// A prompt, and what may stand behind it.
    struct Question {
        let prompt: [Int]
        /// One at least; none may be empty.
        let answers: [[Int]]
        /// Tokens that all answers begin with; each has one more at least.
        let shared: [Int]

        init(prompt: [Int], answers: [[Int]]) {
            self.prompt = prompt
            self.answers = answers
            let most = (answers.map(\.count).min() ?? 1) - 1
            let first = answers.first ?? []
            shared = Array(
                first.prefix(most).indices.prefix { place in
                    answers.allSatisfy { $0[place] == first[place] }
                }.map { first[$0] })
        }

        /// What differs.
        var rests: [ArraySlice<Int>] { answers.map { $0.dropFirst(shared.count) } }
    }

    /// log p(answer | prompt) of every answer of every question.
    func callAsFunction(_ questions: [Question]) throws -> [[Double]] {
        try withoutGradient {
            let longest = questions.flatMap { $0.rests.map(\.count) }.max() ?? 1
            let read = questions.map { $0.prompt + $0.shared }
            let batch = try TokenBatch(ids: read, paddingID: 0, side: .left, device: device)
            let width = batch.ids.size(1)
            let cache = try model.makeCache(
                leftPadding: read.map { width - $0.count }, capacity: width + longest - 1)
            let hidden = try model.hiddenStates(
                batch.ids, layout: cache.layout, cache: cache, mode: .inference)
            var sums = try shared(questions, hidden)
            guard longest > 1 else { return sums }
            for (row, value) in try rests(questions, cache, longest).enumerated() {
                let (question, answer) = Self.rows(questions)[row]
                sums[question][answer] += value
            }
            return sums
        }
    }

    /// The part of the tokens that all answers of a question begin with, and of the first behind them.
    private func shared(_ questions: [Question], _ hidden: Tensor) throws -> [[Double]] {
        let width = hidden.size(1)
        var picks: [Pick] = []
        for (row, question) in questions.enumerated() {
            let last = (row + 1) * width - 1
            for (place, token) in question.shared.enumerated() {
                picks.append(Pick(place: last - question.shared.count + place, token: token))
            }
            picks += question.rests.map { Pick(place: last, token: $0.first ?? 0) }
        }
        var values = try logProbabilities(picks, in: hidden)[...]
        return questions.map { question in
            let common = values.prefix(question.shared.count).reduce(0, +)
            values = values.dropFirst(question.shared.count)
            defer { values = values.dropFirst(question.answers.count) }
            return values.prefix(question.answers.count).map { common + $0 }
        }
    }

    /// The part of the tokens behind the first that differs, for every answer of all questions.
    private func rests(
        _ questions: [Question], _ cache: KeyValueCache, _ longest: Int
    ) throws -> [Double] {
        let rows = Self.rows(questions)
        let copies = try cache.selecting(rows: rows.map(\.question))
        let rests = rows.map { Array(questions[$0.question].rests[$0.answer]) }
        // What stands behind the end of an answer is read and not looked at.
        let ids = rests.flatMap { rest in
            Array(rest.dropLast()) + [Int](repeating: 0, count: longest - rest.count)
        }
        let hidden = try model.hiddenStates(
            Tensor(ids, [rows.count, longest - 1]).to(device: device), layout: copies.layout,
            cache: copies, mode: .inference)
        let picks = rests.enumerated().map { row, rest in
            rest.dropFirst().enumerated().map { place, token in
                Pick(place: row * (longest - 1) + place, token: token)
            }
        }
        var values = try logProbabilities(picks.flatMap(\.self), in: hidden)[...]
        return picks.map { picks in
            defer { values = values.dropFirst(picks.count) }
            return values.prefix(picks.count).reduce(0, +)
        }
    }

    /// Every answer of every question, in order.
    private static func rows(_ questions: [Question]) -> [(question: Int, answer: Int)] {
        questions.enumerated().flatMap { number, question in
            question.answers.indices.map { (number, $0) }
        }
    }

    /// A token and the place in flattened hidden states that predicts it.
    private struct Pick {
        let place: Int
        let token: Int
    }

    /// log p(token) at each place of hidden states (B, T, E).
    private func logProbabilities(_ picks: [Pick], in hidden: Tensor) throws -> [Double] {
        guard !picks.isEmpty else { return [] }
        var order: [Int: Int] = [:]
        for pick in picks where order[pick.place] == nil { order[pick.place] = order.count }
        let places = order.sorted { $0.value < $1.value }.map(\.key)
        let flat = try hidden.reshaped(-1, hidden.size(-1))  // (B T, E)
        let chosen = try flat.gathered(rows: Tensor(places).to(device: device))  // (N, E)
        guard let logits = try model.logits(ofHidden: chosen, mode: .inference) else {
            throw ModelError.noHead(folder: "this model")
        }
        let wide = try logits.dtype == .float64 ? logits : logits.to(.float32)
        let all = try wide.logSoftmax(along: -1)  // (N, vocabulary)
        let width = all.size(1)
        let indices = picks.map { (order[$0.place] ?? 0) * width + $0.token }
        return try all.reshaped(-1).gathered(rows: Tensor(indices).to(device: device))
            .to(.float64).array(of: Double.self)
    }
}
