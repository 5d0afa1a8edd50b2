import DualDatasets
import Foundation

/// A task that a tiny model can learn: whether a sentence has the word "yes".
package enum ToyTask: SentenceTask {
    package static let name = "toy"
    package static let title = "Toy"
    package static let categories: [String]? = ["no", "yes"]
    package static let primaryMetric = "accuracy"

    /// One example a line: the label, a tab, the sentence.
    package static func examples(_ split: Split, in folder: URL) throws -> [Example] {
        let text = try String(
            contentsOf: folder.appendingPathComponent("\(split.rawValue).tsv"), encoding: .utf8)
        return text.split(separator: "\n").map { line in
            let columns = line.split(separator: "\t")
            return Example(text: String(columns[1]), label: .category(columns[0] == "1" ? 1 : 0))
        }
    }

    package static func metrics(
        predictions: [Label], labels: [Label]
    ) throws -> [(name: String, value: Double)] {
        let right = zip(predictions, labels).filter { $0 == $1 }.count
        return [("accuracy", Double(right) / Double(labels.count)), ("undefined", .nan)]
    }
}
