import DualModels
import DualTokenization
import DualTorch

/// Greedy or drawn continuations of a batch of prompts, a token a step. Rows that are finished leave
/// the batch.
final class TokenSearch {
    private let options: GenerationOptions
    private let processors: [any LogitsProcessor]
    private let limit: Int
    private let cache: DecodingCache
    /// Those that go on, in the cache's order, with their places in `finished`.
    private var running: [(row: GenerationRow, draws: TokenGenerator, position: Int)] = []
    private var finished: [Generation?]
    private var hasUnreadTokens = false
    /// Scores of one row while they are processed.
    private var scores: [Float] = []

    /// Reads the prompts.
    /// - Parameters:
    ///   - first: the number of the first prompt among all.
    ///   - limit: the most new tokens of a row.
    init(
        _ model: any CausalModel, prompts: [[Int]], first: Int = 0, tokenizer: Tokenizer?,
        options: GenerationOptions, limit: Int
    ) throws {
        self.options = options
        self.limit = limit
        processors = options.makeProcessors()
        cache = try DecodingCache(model, prompts: prompts, limit: limit)
        let copies = options.returnedSequences
        for (index, ids) in prompts.enumerated() {
            let row = GenerationRow(
                prompt: first + index, ids: ids, tokenizer: tokenizer, options: options)
            for sequence in 0..<copies {
                let draws = TokenGenerator(
                    seed: options.seed, prompt: first + index, sequence: sequence)
                running.append((row, draws, running.count))
            }
        }
        finished = running.map { _ in nil }
        if copies > 1 { try cache.selectWithLogits(running.map { $0.position / copies }) }
    }

    var isFinished: Bool { running.isEmpty }

    /// One token more for every row that is not finished.
    func step() throws {
        if hasUnreadTokens { try cache.read(running.map { $0.row.text.tokens.last ?? 0 }) }
        let tokens = try cache.logits.withRows { row in
            try running.indices.map { try choose(row($0), for: $0) }
        }
        var kept: [Int] = []
        for (index, token) in tokens.enumerated() {
            running[index].row.append(token)
            if let finish = running[index].row.finish(options, limit: limit) {
                end(index, finish)
            } else {
                kept.append(index)
            }
        }
        hasUnreadTokens = true
        if kept.count < running.count {
            running = kept.map { running[$0] }
            if !kept.isEmpty { try cache.select(kept) }
        }
    }

    /// Ends the rows that go on as they are.
    func cancel() {
        for index in running.indices { end(index, .cancelled) }
        running = []
    }

    /// Every continuation, those of one prompt next to each other, once all are finished.
    var generations: [Generation] { finished.compactMap(\.self) }

    /// The new tokens of the first row.
    var newIDs: [Int] {
        running.first.map { Array($0.row.text.newTokens) } ?? finished.first??.ids ?? []
    }

    /// The text of the first row that is certain and was not taken yet.
    func takeText() -> String {
        guard running.isEmpty else { return running[0].row.decoded?.take(isComplete: false) ?? "" }
        defer { ended = nil }
        return ended?.take(isComplete: true) ?? ""
    }

    /// The text of the first row once it has ended.
    private var ended: ContinuationText?

    private func end(_ index: Int, _ finish: Generation.Finish) {
        let row = running[index].row
        finished[running[index].position] = row.generation(finish)
        ended = row.decoded
        ended?.finish()
    }

    private func choose(_ logits: UnsafeBufferPointer<Float>, for index: Int) throws -> Int {
        let text = running[index].row.text
        if processors.isEmpty, !options.draws {
            if let token = LargestScores.greatest(logits) { return token }
        } else {
            scores.removeAll(keepingCapacity: true)
            scores.append(contentsOf: logits)
            for processor in processors { processor.process(&scores, after: text) }
            let token =
                options.draws
                ? running[index].draws.token(from: scores)
                : scores.withUnsafeBufferPointer(LargestScores.greatest)
            if let token { return token }
        }
        let (row, number) = (running[index].row.prompt + 1, text.newCount + 1)
        throw logits.contains(where: \.isFinite)
            ? GenerationError.nothingAllowed(row: row, token: number)
            : GenerationError.notFinite(row: row, token: number)
    }
}
