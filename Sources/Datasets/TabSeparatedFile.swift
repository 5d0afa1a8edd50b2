import Foundation

/// The lines of a tab-separated file, split into columns, with no quoting and no escapes.
///
/// Bytes decide: a line ends at "\n", with or without "\r" before it, and never at another
/// character that Unicode counts as a line separator, since sentences hold such characters. A
/// byte order mark is dropped; the last line may lack its end.
struct TabSeparatedFile {
    struct Line {
        /// Counted from 1.
        let number: Int
        let columns: [String]
    }

    /// The path as messages show it: as the caller wrote it.
    let path: String
    let lines: [Line]

    /// Reads the first of several names that a folder has.
    ///
    /// - Throws: ``TaskDataError``, also when the file has no line at all.
    init(firstOf names: [String], in folder: URL) throws(TaskDataError) {
        try self.init(contentsOf: TaskFile.first(of: names, in: folder))
    }

    init(contentsOf file: URL) throws(TaskDataError) {
        path = file.relativePath
        lines = try Self.lines(TaskFile.bytes(of: file), path: path)
        guard !lines.isEmpty else { throw .empty(path: path) }
    }

    private static func lines(_ bytes: [UInt8], path: String) throws(TaskDataError) -> [Line] {
        var remaining = TaskFile.body(of: bytes)
        var lines: [Line] = []
        while !remaining.isEmpty {
            let end = remaining.firstIndex(of: UInt8(ascii: "\n")) ?? remaining.endIndex
            var line = remaining[..<end]
            remaining = remaining[end...].dropFirst()
            if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
            let number = lines.count + 1
            guard !line.isEmpty else { throw .emptyLine(path: path, line: number) }
            guard let columns = columns(line) else { throw .notUTF8(path: path, line: number) }
            lines.append(Line(number: number, columns: columns))
        }
        return lines
    }

    /// The columns of a line, or nil when its bytes are not UTF-8.
    private static func columns(_ line: ArraySlice<UInt8>) -> [String]? {
        var columns: [String] = []
        for cell in line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false) {
            guard let text = String(validating: cell, as: UTF8.self) else { return nil }
            columns.append(text)
        }
        return columns
    }
}

extension TabSeparatedFile {
    /// Checks that a line has exactly the named columns, or at least those.
    func require(
        _ names: [String], in line: Line, orMore: Bool = false
    ) throws(TaskDataError) {
        let count = line.columns.count
        guard count == names.count || (orMore && count > names.count) else {
            throw .columnCount(path: path, line: line.number, found: count, expected: names)
        }
    }

    /// The sentence in a column, exactly as the file has it, spaces around it included.
    func sentence(_ column: Int, named name: String, in line: Line) throws(TaskDataError) -> String
    {
        let text = line.columns[column]
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw .emptySentence(path: path, line: line.number, column: name)
        }
        return text
    }

    /// The id of the label in a column: its place among the labels a file may hold.
    func category(_ column: Int, among labels: [String], in line: Line) throws(TaskDataError)
        -> Label
    {
        let text = line.columns[column]
        guard let id = labels.firstIndex(of: text) else {
            throw .unknownLabel(path: path, line: line.number, found: text, known: labels)
        }
        return .category(id)
    }
}
