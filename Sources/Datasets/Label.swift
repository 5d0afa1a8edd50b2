/// What is predicted: a class by its id, or a number.
public enum Label: Equatable, Sendable {
    case category(Int)
    case score(Double)
}
