import DualDatasets
import Foundation

/// The same sentences with a number to predict: the share of the word "yes".
package enum ToyScoreTask: SentenceTask {
    package static let name = "toy-score"
    package static let title = "Toy score"
    package static let categories: [String]? = nil
    package static let primaryMetric = "error"

    package static func examples(_ split: Split, in folder: URL) throws -> [Example] {
        try ToyTask.examples(split, in: folder).map {
            let words = $0.text.split(separator: " ")
            let share = Double(words.filter { $0 == "yes" }.count) / Double(words.count)
            return Example(text: $0.text, label: .score(3 + share))
        }
    }

    package static func metrics(
        predictions: [Label], labels: [Label]
    ) throws -> [(name: String, value: Double)] {
        let errors = zip(predictions, labels).map { pair -> Double in
            guard case (.score(let a), .score(let b)) = pair else { return .nan }
            return abs(a - b)
        }
        return [("error", errors.reduce(0, +) / Double(errors.count))]
    }
}
