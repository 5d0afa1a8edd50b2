import FineTuning
import Foundation

/// A task of the client's own, with a metric of its own: whether a sentence says yes.
enum YesOrNo: SentenceTask {
    static let name = "yes-or-no"
    static let title = "Yes or no"
    static let categories: [String]? = ["no", "yes"]
    static let primaryMetric = "balanced_accuracy"

    /// The examples are made, not read.
    static func examples(_ split: Split, in folder: URL) throws -> [Example] {
        (0..<(split == .train ? 64 : 16)).map { number in
            let isYes = number % 2 == 0
            let text = ["the", "answer", "is", isYes ? "yes" : "no", "\(number % 5)"]
            return Example(text: text.joined(separator: " "), label: .category(isYes ? 1 : 0))
        }
    }

    /// The mean of the shares of each class that is told.
    static func metrics(
        predictions: [Label], labels: [Label]
    ) throws -> [(name: String, value: Double)] {
        let shares = [Label.category(0), .category(1)].map { label in
            let own = zip(predictions, labels).filter { $1 == label }
            return Double(own.count { $0 == $1 }) / Double(max(1, own.count))
        }
        return [(primaryMetric, shares.reduce(0, +) / 2)]
    }
}
