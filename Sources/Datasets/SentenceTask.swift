import Foundation

/// A task of classifying or scoring sentences: where its data lies and how it is measured.
public protocol SentenceTask: Sendable {
    /// The command line's name, such as `cola`.
    static var name: String { get }
    /// The name in print, such as `CoLA`.
    static var title: String { get }
    /// Label names in the order of their ids, or nil when the label is a score.
    static var categories: [String]? { get }
    /// The metric a run is judged by: the first that ``metrics(predictions:labels:)`` returns.
    static var primaryMetric: String { get }

    /// Reads a split from the task's folder, in the order of the file and text as it stands.
    ///
    /// - Throws: ``TaskDataError``, naming the file, the line and what would be right.
    static func examples(_ split: Split, in folder: URL) throws -> [Example]

    /// Every metric of the task, the primary one first.
    ///
    /// - Precondition: as many predictions as labels.
    /// - Throws: ``LabelError`` when a label is of the wrong kind, `MetricError` when there are
    ///   no examples.
    static func metrics(
        predictions: [Label], labels: [Label]
    ) throws -> [(name: String, value: Double)]
}

extension SentenceTask {
    /// The ids of labels that must all be categories.
    static func categoryIDs(_ labels: [Label]) throws(LabelError) -> [Int] {
        try labels.map { label throws(LabelError) in
            guard case .category(let id) = label else { throw .notACategory(task: title) }
            return id
        }
    }

    /// The values of labels that must all be scores.
    static func scores(_ labels: [Label]) throws(LabelError) -> [Double] {
        try labels.map { label throws(LabelError) in
            guard case .score(let value) = label else { throw .notAScore(task: title) }
            return value
        }
    }
}
