/// A flag or a command, and what it does.
struct HelpRow {
    let label: String
    let text: String

    private static let indent = 2
    private static let textColumn = 26
    /// Columns of text that a row beside its label must have; else it stands below, further left.
    private static let fewestColumns = 30

    func lines(columns: Int) -> [String] {
        let start = String(repeating: " ", count: Self.indent) + label
        let column = columns - Self.textColumn < Self.fewestColumns ? 6 : Self.textColumn
        let margin = String(repeating: " ", count: column)
        let lines = WrappedText.lines(text, columns: columns - column).map { margin + $0 }
        guard let first = lines.first, start.count + 1 < column else { return [start] + lines }
        return [start + first.dropFirst(start.count)] + lines.dropFirst()
    }
}
