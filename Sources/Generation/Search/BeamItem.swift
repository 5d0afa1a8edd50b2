import DualTokenization
import Foundation

/// The beams of one prompt. Reference: the bookkeeping of transformers' `_beam_search`, in float32
/// as there.
struct BeamItem {
    private(set) var running: [RunningBeam]
    private(set) var finished: [FinishedBeam]
    /// Whether a running beam may still get ahead of the worst finished one.
    private(set) var canImprove = true
    /// Whether every candidate of the last step ended its text.
    private(set) var allEnded = false
    private let options: GenerationOptions
    private let limit: Int

    /// What excludes a beam without making its score infinite.
    private static let excluded: Float = -1e9

    init(_ row: GenerationRow, options: GenerationOptions, limit: Int) {
        self.options = options
        self.limit = limit
        // All beams start alike: only the first may be gone on from.
        running = (0..<options.beams).map {
            RunningBeam(row: row, score: $0 == 0 ? 0 : Self.excluded)
        }
        finished = (0..<options.beams).map { _ in
            FinishedBeam(row: row, score: Self.excluded, isTaken: false)
        }
    }

    /// How many candidates are looked at: enough to go on even if many end their texts.
    static func candidates(_ options: GenerationOptions) -> Int {
        max(2, 1 + options.stopTokens.count) * options.beams
    }

    private var isFull: Bool { finished.allSatisfy(\.isTaken) }
    private var stopsWhenFull: Bool { options.earlyStopping == .whenFull }

    /// Whether nothing that comes can change the finished beams.
    var isSettled: Bool { isFull && (!canImprove || stopsWhenFull) }

    /// Takes the best candidates, the best first: some beams finish, others go on.
    mutating func advance(_ candidates: [BeamCandidate]) {
        var extended: [(beam: RunningBeam, ends: Bool)] = candidates.map { candidate in
            var row = running[candidate.origin].row
            row.append(candidate.token)
            let beam = RunningBeam(row: row, score: candidate.score, origin: candidate.origin)
            return (beam, row.finish(options, limit: limit) != nil)
        }
        takeFinished(extended)
        allEnded = extended.allSatisfy(\.ends)
        for index in extended.indices where extended[index].ends {
            extended[index].beam.score += Self.excluded
        }
        running = best(options.beams, of: extended.map(\.beam), by: \.score)
        updateHope()
    }

    private mutating func takeFinished(_ extended: [(beam: RunningBeam, ends: Bool)]) {
        let newCount = running[0].row.text.newCount + 1
        let isClosed = isFull && stopsWhenFull
        let additions = extended.enumerated().map { index, candidate in
            let takes = candidate.ends && index < options.beams
            var score = candidate.beam.score / divisor(newCount)
            if isClosed { score += Self.excluded }
            if !canImprove { score += Self.excluded }
            if !takes { score += Self.excluded }
            return FinishedBeam(row: candidate.beam.row, score: score, isTaken: takes)
        }
        finished = best(options.beams, of: finished + additions, by: \.score)
    }

    /// Whether the best running beam could get ahead, at the length that is hoped for.
    private mutating func updateHope() {
        let newCount = running[0].row.text.newCount
        let isPatient = options.earlyStopping == .never && options.lengthPenalty > 0
        let hoped = isPatient ? limit : newCount
        let possible = running[0].score / divisor(hoped)
        let worst = finished.map(\.score).min() ?? Self.excluded
        canImprove =
            canImprove && finished.contains { possible > ($0.isTaken ? worst : Self.excluded) }
    }

    /// The best `count`, the best first; of equal ones the earlier comes first.
    private func best<Beam>(
        _ count: Int, of beams: [Beam], by score: KeyPath<Beam, Float>
    ) -> [Beam] {
        let order = beams.indices.sorted { a, b in
            let (left, right) = (beams[a][keyPath: score], beams[b][keyPath: score])
            return left != right ? left > right : a < b
        }
        return order.prefix(count).map { beams[$0] }
    }

    /// The best finished beams; where there is none, for the search was cancelled, the best running.
    func generations(cancelled: Bool, tokenizer: Tokenizer?) -> [Generation] {
        var beams = finished.filter(\.isTaken).map { (row: $0.row, score: $0.score) }
        if beams.isEmpty {
            beams = running.map { (row: $0.row, score: $0.score / divisor($0.row.text.newCount)) }
        }
        return beams.prefix(options.returnedSequences).map { row, score in
            let finish = row.finish(options, limit: limit) ?? (cancelled ? .cancelled : .length)
            return row.decoding(tokenizer, options).generation(finish, score: Double(score))
        }
    }

    private func divisor(_ length: Int) -> Float {
        Float(pow(Double(length), options.lengthPenalty))
    }
}
