/// Prose, broken into lines once.
enum WrappedText {
    /// Words in lines of at most so many columns; a word that is longer has a line of its own.
    static func lines(_ text: String, columns: Int) -> [String] {
        lines(of: text.split(whereSeparator: \.isWhitespace).map(String.init), columns: columns)
    }

    /// The same of parts that stay whole.
    static func lines(of parts: [String], columns: Int) -> [String] {
        var lines: [String] = []
        for part in parts {
            if let last = lines.last, last.count + 1 + part.count <= columns {
                lines[lines.count - 1] = last + " " + part
            } else {
                lines.append(part)
            }
        }
        return lines
    }

    /// Paragraphs with empty lines between them. Lines that are indented, as examples are, stay as they
    /// are, so that they can be pasted.
    static func paragraphs(_ text: String, columns: Int) -> [String] {
        var made: [String] = []
        var prose: [Substring] = []
        func close() {
            made += lines(prose.joined(separator: " "), columns: columns)
            prose = []
        }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            guard line.isEmpty || line.hasPrefix(" ") else {
                prose.append(line)
                continue
            }
            close()
            made.append(String(line))
        }
        close()
        return made
    }
}
