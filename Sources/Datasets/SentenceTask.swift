import Foundation

/// One row of a task: a sentence or a pair of them, and what a model should say about it.
public struct Example: Equatable, Sendable {
    public var text: String
    /// The second sentence, for a task about pairs.
    public var pair: String?
    public var label: Label

    public init(text: String, pair: String? = nil, label: Label) {
        self.text = text
        self.pair = pair
        self.label = label
    }
}

/// What is predicted: a class by its id, or a number.
public enum Label: Equatable, Sendable {
    case category(Int)
    case score(Double)
}

/// A part of a task's data. GLUE keeps the labels of its test parts, so there are only two.
public enum Split: String, CaseIterable, Sendable {
    case train
    case dev
}

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

/// A label of a kind that the task does not have.
public enum LabelError: Error, Equatable, CustomStringConvertible {
    case notACategory(task: String)
    case notAScore(task: String)

    public var description: String {
        switch self {
        case .notACategory(let task):
            "\(task) is measured on categories, but a label is a score; use .category(id)."
        case .notAScore(let task):
            "\(task) is measured on scores, but a label is a category; use .score(value)."
        }
    }
}

extension SentenceTask {
    /// The ids of labels that must all be categories.
    static func categoryIDs(_ labels: [Label]) throws(LabelError) -> [Int] {
        var ids: [Int] = []
        for label in labels {
            guard case .category(let id) = label else { throw .notACategory(task: title) }
            ids.append(id)
        }
        return ids
    }

    /// The values of labels that must all be scores.
    static func scores(_ labels: [Label]) throws(LabelError) -> [Double] {
        var scores: [Double] = []
        for label in labels {
            guard case .score(let value) = label else { throw .notAScore(task: title) }
            scores.append(value)
        }
        return scores
    }
}
