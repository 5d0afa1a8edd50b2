import Foundation

/// One example of a file of JSON, with the line where it begins.
public struct JSONRecord: Equatable, Sendable {
    /// The path of its file, as messages show it.
    public let path: String
    /// Counted from 1.
    public let line: Int
    public let fields: JSONObject

    /// The text of a field, empty or not.
    /// - Throws: ``TaskDataError/missingKey(path:line:key:found:)``,
    ///   ``TaskDataError/wrongKind(path:line:key:found:expected:)``.
    public func text(_ key: String) throws(TaskDataError) -> String {
        guard let value = fields[key] else {
            throw .missingKey(path: path, line: line, key: key, found: fields.keys)
        }
        guard case .string(let text) = value else {
            throw .wrongKind(
                path: path, line: line, key: key, found: value.kind, expected: "a text")
        }
        return text
    }
}

/// The examples of a file that holds either one list of objects, or an object a line (JSON Lines).
///
/// Which of the two it is, its first character tells. The file is read in UTF-8; a byte order mark is
/// dropped, and so are empty lines between objects.
public struct JSONRecords: Sendable {
    /// The path as messages show it: as the caller wrote it.
    public let path: String
    /// In the order of the file.
    public let records: [JSONRecord]

    /// Reads a file.
    /// - Parameter skipping: gets what is wrong with an example that is then left out: a line of JSON
    ///   Lines that cannot be read, or something that is no object. nil to throw it. A list that breaks
    ///   off or is spelled wrongly is thrown either way, for what stands behind cannot be told.
    /// - Throws: ``TaskDataError``, also for a file without examples.
    public init(
        contentsOf file: URL, skipping: ((TaskDataError) -> Void)? = nil
    ) throws(TaskDataError) {
        path = file.relativePath
        var reader = JSONReader(try TaskFile.bytes(of: file), path: path)
        records =
            reader.take("[")
            ? try Self.list(&reader, skipping) : try Self.lines(&reader, skipping)
        guard !records.isEmpty else { throw .empty(path: path) }
    }

    /// The objects of a list whose bracket has been read.
    private static func list(
        _ reader: inout JSONReader, _ skipping: ((TaskDataError) -> Void)?
    ) throws(TaskDataError) -> [JSONRecord] {
        var records: [JSONRecord] = []
        if !reader.take("]") {
            repeat {
                _ = reader.peek()
                let line = reader.line
                let value = try reader.readValue()
                try keep(value, line, of: reader, in: &records, skipping)
            } while reader.take(",")
            guard reader.take("]") else { throw reader.unexpected("a ',' or a ']'") }
        }
        guard reader.peek() == nil else { throw reader.unexpected("the end of the file") }
        return records
    }

    private static func lines(
        _ reader: inout JSONReader, _ skipping: ((TaskDataError) -> Void)?
    ) throws(TaskDataError) -> [JSONRecord] {
        var records: [JSONRecord] = []
        while reader.peek() != nil {
            let line = reader.line
            do throws(TaskDataError) {
                try keep(try reader.readLine(), line, of: reader, in: &records, nil)
            } catch {
                guard let skipping else { throw error }
                skipping(error)
            }
        }
        return records
    }

    private static func keep(
        _ value: JSONValue, _ line: Int, of reader: JSONReader, in records: inout [JSONRecord],
        _ skipping: ((TaskDataError) -> Void)?
    ) throws(TaskDataError) {
        if case .object(let fields) = value {
            return records.append(JSONRecord(path: reader.path, line: line, fields: fields))
        }
        let error = TaskDataError.notAnObject(path: reader.path, line: line, found: value.kind)
        guard let skipping else { throw error }
        skipping(error)
    }
}
