/// What is wrong with a recipe, and where.
public struct RecipeError: Error, Equatable, CustomStringConvertible {
    public let file: String
    /// From 1; nil where the whole file is meant.
    public let line: Int?
    public let reason: String

    public init(file: String, line: Int? = nil, reason: String) {
        self.file = file
        self.line = line
        self.reason = reason
    }

    public var description: String {
        "\(file)\(line.map { ":\($0)" } ?? ""): \(reason)"
    }
}
