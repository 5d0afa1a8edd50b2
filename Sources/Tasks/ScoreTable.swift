/// Scores laid out in columns.
public struct ScoreTable: Equatable, Sendable {
    public let header: [String]
    /// Each as long as the header.
    public let rows: [[String]]

    public init(header: [String], rows: [[String]]) {
        self.header = header
        self.rows = rows
    }
}
