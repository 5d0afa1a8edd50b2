import DualMetrics
import Foundation

/// The Semantic Textual Similarity benchmark: how alike are two sentences, from 0 to 5?
///
/// Two layouts are read, both separated by tabs and without quoting. The benchmark's own
/// `train.csv` and `dev.csv` have no header and seven columns or more (genre, file, year, id,
/// score, two sentences, then sources); GLUE's `train.tsv` and `dev.tsv` have a header and ten.
/// Cer et al. 2017, arXiv:1708.00055; GLUE (Wang et al. 2019, arXiv:1804.07461) reports Pearson's
/// and Spearman's correlations.
public enum STSB: SentenceTask {
    public static let name = "stsb"
    public static let title = "STS-B"
    public static let categories: [String]? = nil
    public static let primaryMetric = "pearson"

    private static let benchmarkColumns = [
        "genre", "file", "year", "id", "score", "sentence1", "sentence2",
    ]
    private static let header = [
        "index", "genre", "filename", "year", "old_index", "source1", "source2", "sentence1",
        "sentence2", "score",
    ]

    public static func examples(_ split: Split, in folder: URL) throws -> [Example] {
        let names = ["\(split.rawValue).csv", "\(split.rawValue).tsv"]
        let file = try TabSeparatedFile(firstOf: names, in: folder)
        let columns = file.lines[0].columns
        guard columns.first == "index" else {
            return try file.lines.map { line throws(TaskDataError) in
                try file.require(benchmarkColumns, in: line, orMore: true)
                return try example(line, of: file, sentences: (5, 6), score: 4)
            }
        }
        guard columns == header else {
            throw TaskDataError.wrongHeader(path: file.path, found: columns, expected: header)
        }
        guard file.lines.count > 1 else { throw TaskDataError.empty(path: file.path) }
        return try file.lines.dropFirst().map { line throws(TaskDataError) in
            try file.require(header, in: line)
            return try example(line, of: file, sentences: (7, 8), score: 9)
        }
    }

    public static func metrics(
        predictions: [Label], labels: [Label]
    ) throws -> [(name: String, value: Double)] {
        let (predictions, labels) = (try scores(predictions), try scores(labels))
        return [
            ("pearson", try pearsonCorrelation(predictions, labels)),
            ("spearman", try spearmanCorrelation(predictions, labels)),
        ]
    }

    private static func example(
        _ line: TabSeparatedFile.Line, of file: TabSeparatedFile, sentences: (Int, Int), score: Int
    ) throws(TaskDataError) -> Example {
        let text = line.columns[score]
        guard let value = decimal(text), (0...5).contains(value) else {
            throw .badScore(path: file.path, line: line.number, found: text)
        }
        return Example(
            text: try file.sentence(sentences.0, named: "sentence1", in: line),
            pair: try file.sentence(sentences.1, named: "sentence2", in: line),
            label: .score(value))
    }

    /// A number in decimal notation; `Double` alone would take "nan" and "0x1p3" too.
    private static func decimal(_ text: String) -> Double? {
        guard text.utf8.allSatisfy({ "+-.0123456789eE".utf8.contains($0) }) else { return nil }
        return Double(text)
    }
}
