import Foundation

/// The rows of a comma-separated file with a header, as RFC 4180 has it.
///
/// A field may stand in double quotes; it then holds commas, line ends and, written twice, double
/// quotes. White space is part of a field. Beyond the RFC, a line may end at "\n" alone, a byte
/// order mark is dropped, and empty lines are skipped. Rows keep the fields they have: how many
/// there should be is for ``requireFields(of:)`` to check, so that a bad row can be skipped.
public struct CommaSeparatedFile: Sendable {
    public struct Row: Equatable, Sendable {
        /// The line that the row begins on, from 1; a quoted field may span lines.
        public let line: Int
        public let fields: [String]
    }

    /// The path as messages show it: as the caller wrote it.
    public let path: String
    /// The names of the columns, as the first row has them.
    public let header: [String]
    /// The rows below the header, in order.
    public let rows: [Row]

    /// - Parameter skipping: gets what is wrong with a row that is then left out, as it is not UTF-8;
    ///   nil to throw it. A misplaced quote is thrown either way, for where the next row begins cannot
    ///   be told.
    /// - Throws: ``TaskDataError`` for a file that cannot be read, is not UTF-8, has no row below
    ///   its header, read or skipped, names two columns alike, or misplaces a quote.
    public init(
        contentsOf file: URL, skipping: ((TaskDataError) -> Void)? = nil
    ) throws(TaskDataError) {
        path = file.relativePath
        var scanner = CommaSeparatedScanner(try TaskFile.bytes(of: file), path: path)
        guard let first = try scanner.nextRow() else { throw .empty(path: path) }
        header = try scanner.texts(of: first).fields
        var rows: [Row] = []
        var hasSkipped = false
        while let row = try scanner.nextRow() {
            do throws(TaskDataError) {
                rows.append(try scanner.texts(of: row))
            } catch {
                guard let skipping else { throw error }
                skipping(error)
                hasSkipped = true
            }
        }
        guard !rows.isEmpty || hasSkipped else { throw .empty(path: path) }
        self.rows = rows
        for (index, name) in header.enumerated() where header[..<index].contains(name) {
            throw .repeatedColumn(path: path, name: name)
        }
    }

    /// The place of the column of a name, whatever its case; nil where there is none.
    public func column(_ name: String) -> Int? {
        header.firstIndex(of: name)
            ?? header.firstIndex { $0.lowercased() == name.lowercased() }
    }

    /// The place of a column that must be there.
    /// - Throws: ``TaskDataError/missingColumn(path:name:found:)``.
    public func requireColumn(_ name: String) throws(TaskDataError) -> Int {
        guard let index = column(name) else {
            throw .missingColumn(path: path, name: name, found: header)
        }
        return index
    }

    /// Checks that a row has a field for every column.
    /// - Throws: ``TaskDataError/fieldCount(path:line:found:expected:)``.
    public func requireFields(of row: Row) throws(TaskDataError) {
        guard row.fields.count == header.count else {
            throw .fieldCount(
                path: path, line: row.line, found: row.fields.count, expected: header)
        }
    }
}

/// Reads rows from bytes; UTF-8 keeps the bytes of separators, quotes and line ends to themselves.
struct CommaSeparatedScanner {
    private let bytes: [UInt8]
    private let path: String
    private let separator: UInt8
    private var position = 0
    private var line: Int

    private static let quote = UInt8(ascii: "\"")
    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    /// - Parameter line: where the bytes begin.
    init(_ bytes: [UInt8], path: String, separator: FieldSeparator = .comma, line: Int = 1) {
        self.bytes = bytes
        self.path = path
        self.separator = separator.byte
        self.line = line
        position = TaskFile.body(of: bytes).startIndex
    }

    private var isAtEnd: Bool { position == bytes.count }

    /// Whether a line ends here: at "\n", or at "\r" before it or before the end of the file.
    private var isAtLineEnd: Bool {
        if isAtEnd || bytes[position] == Self.lineFeed { return true }
        guard bytes[position] == Self.carriageReturn else { return false }
        return position + 1 == bytes.count || bytes[position + 1] == Self.lineFeed
    }

    private mutating func takeLineEnd() {
        if !isAtEnd, bytes[position] == Self.carriageReturn { position += 1 }
        if !isAtEnd, bytes[position] == Self.lineFeed { position += 1 }
        line += 1
    }

    /// A row whose bytes are no texts yet.
    struct RawRow {
        let line: Int
        var fields: [(bytes: ArraySlice<UInt8>, line: Int)] = []
    }

    mutating func nextRow() throws(TaskDataError) -> RawRow? {
        while !isAtEnd, isAtLineEnd { takeLineEnd() }
        guard !isAtEnd else { return nil }
        var row = RawRow(line: line)
        while true {
            let first = line
            row.fields.append((try nextField(), first))
            if isAtLineEnd { break }
            // A field ends at a separator or at the end of its line, so this is a separator.
            position += 1
        }
        takeLineEnd()
        return row
    }

    private mutating func nextField() throws(TaskDataError) -> ArraySlice<UInt8> {
        if !isAtEnd, bytes[position] == Self.quote { return try quotedField() }
        let start = position
        while !isAtLineEnd, bytes[position] != separator {
            guard bytes[position] != Self.quote else { throw .strayQuote(path: path, line: line) }
            position += 1
        }
        return bytes[start..<position]
    }

    private mutating func quotedField() throws(TaskDataError) -> ArraySlice<UInt8> {
        let first = line
        var field: [UInt8] = []
        position += 1
        while true {
            guard !isAtEnd else { throw .openQuote(path: path, line: first) }
            let byte = bytes[position]
            position += 1
            if byte == Self.quote {
                guard !isAtEnd, bytes[position] == Self.quote else { break }
                position += 1
            }
            if byte == Self.lineFeed { line += 1 }
            field.append(byte)
        }
        guard isAtLineEnd || bytes[position] == separator else {
            throw .strayQuote(path: path, line: line)
        }
        return field[...]
    }

    /// The row as texts.
    /// - Throws: ``TaskDataError/notUTF8(path:line:)``.
    func texts(of row: RawRow) throws(TaskDataError) -> CommaSeparatedFile.Row {
        let fields = try row.fields.map { field throws(TaskDataError) in
            try TaskFile.text(of: field.bytes, path: path, startingOn: field.line)
        }
        return CommaSeparatedFile.Row(line: row.line, fields: fields)
    }
}
