import ArgumentParser
import FineTuning
import Foundation

/// The adapters of a model.
struct AdapterArguments: ParsableArguments {
    @Option(
        name: .customLong("adapter"),
        help: """
            An adapter for it: a folder or org/name. Given more than once, the changes of all are added.
            """, completion: .directory)
    var folders: [String] = []

    @Option(
        parsing: .unconditional,
        help: "What each adapter's change is multiplied by, with commas: 0.7,0.3. Default: 1.")
    var adapterWeights: String?

    /// Their folders.
    private var places: [URL] {
        get throws { try folders.map { try located($0, for: .adapter).url } }
    }

    var sources: [AdaptedModel.Source] {
        get throws {
            if let twice = folders.first(where: { name in folders.count { $0 == name } > 1 }) {
                throw CommandError("--adapter: \(twice) is given twice")
            }
            guard let adapterWeights else { return try places.map { .init($0) } }
            let weights = adapterWeights.split(separator: ",").map { Double($0) }
            guard weights.count == folders.count, weights.allSatisfy({ $0?.isFinite ?? false })
            else {
                throw CommandError(
                    "--adapter-weights: '\(adapterWeights)' is not \(folders.count) number(s), one for "
                        + "each adapter")
            }
            return zip(try places, weights).map { .init($0, weight: $1 ?? 1) }
        }
    }
}
