import DualMetrics
import Foundation

/// The Corpus of Linguistic Acceptability: is a sentence grammatical English?
///
/// `train.tsv` and `dev.tsv` have no header and four columns: source, label 0 or 1, the original
/// author's mark, sentence. Warstadt et al. 2019, arXiv:1805.12471; GLUE (Wang et al. 2019,
/// arXiv:1804.07461) reports the Matthews correlation.
public enum CoLA: SentenceTask {
    public static let name = "cola"
    public static let title = "CoLA"
    public static let categories: [String]? = ["unacceptable", "acceptable"]
    public static let primaryMetric = "matthews"

    public static func examples(_ split: Split, in folder: URL) throws -> [Example] {
        let file = try TabSeparatedFile(firstOf: ["\(split.rawValue).tsv"], in: folder)
        return try file.lines.map { line throws(TaskDataError) in
            try file.require(["source", "label", "mark", "sentence"], in: line)
            return Example(
                text: try file.sentence(3, named: "sentence", in: line),
                label: try file.category(1, among: ["0", "1"], in: line))
        }
    }

    public static func metrics(
        predictions: [Label], labels: [Label]
    ) throws -> [(name: String, value: Double)] {
        let (predictions, labels) = (try categoryIDs(predictions), try categoryIDs(labels))
        return [
            ("matthews", try matthewsCorrelation(predictions: predictions, labels: labels)),
            ("accuracy", try accuracy(predictions: predictions, labels: labels)),
        ]
    }
}
