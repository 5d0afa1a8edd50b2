import DualModels
import DualTokenization
import DualTorch

/// The most probable continuations of a batch of prompts that a search along so many beams finds.
///
/// The reference is transformers' `_beam_search`, token by token. Prompts whose finished beams
/// nothing can change any more leave the batch.
final class BeamSearch {
    private let options: GenerationOptions
    private let processors: [any LogitsProcessor]
    private let limit: Int
    private let cache: DecodingCache
    private var items: [BeamItem]
    /// Items that go on, in the cache's order: `beams` rows each.
    private var active: [Int]
    private var hasUnreadTokens = false
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
        // Without stop strings texts are decoded once, at the end.
        let watching = options.stopStrings.isEmpty ? nil : tokenizer
        items = prompts.enumerated().map { index, ids in
            let row = GenerationRow(
                prompt: first + index, ids: ids, tokenizer: watching, options: options)
            return BeamItem(row, options: options, limit: limit)
        }
        active = Array(items.indices)
        try cache.selectWithLogits(active.flatMap { [Int](repeating: $0, count: options.beams) })
    }

    /// Whether the search is over for all prompts.
    var isFinished: Bool {
        guard let first = active.first else { return true }
        let isAtLimit = items[first].running[0].row.text.newCount >= limit
        let allEnded = active.allSatisfy { items[$0].allEnded }
        return isAtLimit || allEnded && active.count == items.count
            || !active.contains { items[$0].canImprove }
    }

    /// One token more for the beams of every prompt that is not settled.
    func step() throws {
        if hasUnreadTokens {
            try cache.read(
                active.flatMap { items[$0].running.map { $0.row.text.tokens.last ?? 0 } })
        }
        let candidates = try withoutGradient { try cache.logits.logSoftmax(along: -1) }
            .withRows { row in try active.indices.map { try self.candidates(of: $0, row) } }
        for (item, candidates) in zip(active, candidates) { items[item].advance(candidates) }
        hasUnreadTokens = true
        try selectRows()
    }

    /// Rows of the next step: those that the chosen beams went on from.
    private func selectRows() throws {
        let beams = options.beams
        let origins = active.enumerated().flatMap { position, item in
            items[item].running.map { position * beams + $0.origin }
        }
        let kept = active.indices.filter { !items[active[$0]].isSettled }
        if !kept.isEmpty { try cache.reorder(origins) }
        if kept.count < active.count {
            active = kept.map { active[$0] }
            if !kept.isEmpty {
                try cache.select(kept.flatMap { Array($0 * beams..<($0 + 1) * beams) })
            }
        }
    }

    /// The best continuations of one prompt's beams by one token, the best first.
    private func candidates(
        of position: Int, _ row: (Int) -> UnsafeBufferPointer<Float>
    ) throws -> [BeamCandidate] {
        let (item, count) = (items[active[position]], BeamItem.candidates(options))
        var all: [BeamCandidate] = []
        for (index, beam) in item.running.enumerated() {
            let logits = row(position * options.beams + index)
            let largest = try largest(count, of: logits, after: beam.row)
            all += largest.map {
                BeamCandidate(origin: index, token: $0.token, score: $0.score + beam.score)
            }
        }
        let order = all.indices.sorted { a, b in
            all[a].score != all[b].score ? all[a].score > all[b].score : a < b
        }
        return order.prefix(count).map { all[$0] }
    }

    private func largest(
        _ count: Int, of logits: UnsafeBufferPointer<Float>, after row: GenerationRow
    ) throws -> [ScoredToken] {
        guard let first = logits.first, !first.isNaN else {
            throw GenerationError.notFinite(row: row.prompt + 1, token: row.text.newCount + 1)
        }
        if processors.isEmpty { return LargestScores.of(logits, count: count) }
        scores.removeAll(keepingCapacity: true)
        scores.append(contentsOf: logits)
        for processor in processors { processor.process(&scores, after: row.text) }
        return LargestScores.of(scores, count: count)
    }

    /// The best continuations, those of one prompt next to each other.
    func generations(cancelled: Bool, tokenizer: Tokenizer?) -> [Generation] {
        items.flatMap { $0.generations(cancelled: cancelled, tokenizer: tokenizer) }
    }
}
