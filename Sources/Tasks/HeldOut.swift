import DualTorch
import DualTraining

/// Examples that score a model, where the data has none of its own: a share of the training examples.
public struct HeldOut: Equatable, Sendable {
    /// Which rows of the data score.
    public enum Rows: String, CaseIterable, Sendable {
        /// They are drawn by the run's seed.
        case drawn
        /// Those at the end.
        case last
    }

    /// Of the rows; one at least, and none where it is 0.
    public var share = 0.05
    public var rows = Rows.drawn

    public init() {}

    /// What of the choice decides the examples of a run. Runs of before there was a choice took the last
    /// rows.
    var identity: [String: String] {
        var identity = ["dev-share": "\(share)"]
        if rows != .last { identity["dev-rows"] = rows.rawValue }
        return identity
    }

    /// - Throws: ``TrainingError/badOption(name:reason:)``.
    func check() throws {
        guard share >= 0, share < 1 else {
            throw TrainingError.badOption(
                name: "dev-share", reason: "\(share) is not from 0 to less than 1")
        }
    }

    /// The examples that train and those that score, each in their order. Examples of one row stay
    /// together.
    /// - Throws: ``CompletionDataError/tooShort(sequences:length:)`` where none would be left to train on.
    func split(
        _ examples: CompletionExamples, maximumLength: Int, seed: UInt64
    ) throws -> (training: CompletionExamples, scoring: CompletionExamples) {
        let rowOfExample = examples.rows
        var all: [Int] = []
        for row in rowOfExample where all.last != row { all.append(row) }
        let count = share == 0 ? 0 : max(1, Int((Double(all.count) * share).rounded()))
        guard count < all.count else {
            throw CompletionDataError.tooShort(sequences: all.count, length: maximumLength)
        }
        var generator = SplitMix64(seed: seed ^ 0x6465_765F_726F_7773)
        let held = Set(
            rows == .last
                ? Array(all.suffix(count)) : Array(all.shuffled(using: &generator)[..<count]))
        return (
            examples.selecting(examples.indices.filter { !held.contains(rowOfExample[$0]) }),
            examples.selecting(examples.indices.filter { held.contains(rowOfExample[$0]) })
        )
    }

    /// How many examples score.
    func note(scoring: Int, of all: Int) -> String {
        guard scoring > 0 else { return "no example is held out to score on" }
        let examples =
            scoring == 1 ? "1 of \(all) examples scores" : "\(scoring) of \(all) examples score"
        return "\(examples) the model, "
            + (rows == .drawn ? "drawn by the seed" : scoring == 1 ? "the last" : "the last ones")
    }
}
