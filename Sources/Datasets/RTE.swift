import DualMetrics
import Foundation

/// Recognizing Textual Entailment: does the second sentence follow from the first?
///
/// `train.tsv` and `dev.tsv` have the header `index sentence1 sentence2 label`. The ids follow
/// GLUE (Wang et al. 2019, arXiv:1804.07461): entailment is 0. GLUE reports accuracy.
public enum RTE: SentenceTask {
    public static let name = "rte"
    public static let title = "RTE"
    public static let categories: [String]? = labelNames
    public static let primaryMetric = "accuracy"

    private static let labelNames = ["entailment", "not_entailment"]
    private static let header = ["index", "sentence1", "sentence2", "label"]

    public static func examples(_ split: Split, in folder: URL) throws -> [Example] {
        let file = try TabSeparatedFile(firstOf: ["\(split.rawValue).tsv"], in: folder)
        let columns = file.lines[0].columns
        guard columns == header else {
            throw TaskDataError.wrongHeader(path: file.path, found: columns, expected: header)
        }
        guard file.lines.count > 1 else { throw TaskDataError.empty(path: file.path) }
        return try file.lines.dropFirst().map { line throws(TaskDataError) in
            try file.require(header, in: line)
            return Example(
                text: try file.sentence(1, named: "sentence1", in: line),
                pair: try file.sentence(2, named: "sentence2", in: line),
                label: try file.category(3, among: labelNames, in: line))
        }
    }

    public static func metrics(
        predictions: [Label], labels: [Label]
    ) throws -> [(name: String, value: Double)] {
        let (predictions, labels) = (try categoryIDs(predictions), try categoryIDs(labels))
        return [("accuracy", try accuracy(predictions: predictions, labels: labels))]
    }
}
