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
