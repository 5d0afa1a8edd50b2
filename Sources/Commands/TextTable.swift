/// Columns under a header, as wide as they need to be.
func textTable(_ header: [String], _ rows: [[String]]) -> String {
    let widths = header.indices.map { column in
        ([header] + rows).map { $0[column].count }.max() ?? 0
    }
    let lines = ([header, widths.map { String(repeating: "-", count: $0) }] + rows).map { row in
        zip(row, widths).map { cell, width in
            cell + String(repeating: " ", count: width - cell.count)
        }.joined(separator: "  ").trimmingSuffix(" ")
    }
    return lines.joined(separator: "\n")
}

extension String {
    fileprivate func trimmingSuffix(_ character: Character) -> String {
        var text = self
        while text.last == character { text.removeLast() }
        return text
    }
}
