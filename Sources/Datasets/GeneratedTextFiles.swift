import Foundation

/// Generated texts and their references, as the E2E challenge's scorer reads them.
public enum GeneratedTextFiles {
    /// A text a line; an empty line is an empty text. White space around a text is dropped.
    /// - Throws: ``TaskDataError`` for a file that cannot be read, is not UTF-8 or is empty.
    public static func texts(in file: URL) throws(TaskDataError) -> [String] {
        var lines = try lines(of: file)
        if lines.last == "" { lines.removeLast() }
        guard !lines.isEmpty else { throw .empty(path: file.relativePath) }
        return lines
    }

    /// The references of each text: a line each, those of one text together, with an empty line
    /// before those of the next. Without any empty line every text has one reference.
    /// - Throws: ``TaskDataError``; also for a second empty line in a row.
    public static func references(in file: URL) throws(TaskDataError) -> [[String]] {
        var lines = try texts(in: file)
        if lines.last == "" { lines.removeLast() }
        guard lines.contains("") else { return lines.map { [$0] } }
        var groups: [[String]] = [[]]
        for (number, line) in lines.enumerated() {
            if !line.isEmpty {
                groups[groups.count - 1].append(line)
            } else if groups.last == [] {
                throw .emptyLine(path: file.relativePath, line: number + 1)
            } else {
                groups.append([])
            }
        }
        return groups
    }

    private static func lines(of file: URL) throws(TaskDataError) -> [String] {
        let text = try PlainTextFiles.text(of: file)
        return text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { String(Substring($0)).trimmingCharacters(in: .whitespacesAndNewlines) }
    }
}
