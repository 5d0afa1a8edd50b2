import DualJSON
import Foundation

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
    /// - Throws: ``TaskDataError``, also for a file without examples, read or skipped.
    public init(
        contentsOf file: URL, skipping: ((TaskDataError) -> Void)? = nil
    ) throws(TaskDataError) {
        path = file.relativePath
        var reader = RecordReader(try TaskFile.bytes(of: file), path: path, skipping)
        try reader.read()
        records = reader.records
        guard !records.isEmpty || reader.hasSkipped else { throw .empty(path: path) }
    }
}

/// Reads the examples of one file.
private struct RecordReader {
    private let path: String
    private let skipping: ((TaskDataError) -> Void)?
    private var json: JSONReader
    private(set) var records: [JSONRecord] = []
    private(set) var hasSkipped = false

    init(_ bytes: [UInt8], path: String, _ skipping: ((TaskDataError) -> Void)?) {
        json = JSONReader(bytes)
        self.path = path
        self.skipping = skipping
    }

    mutating func read() throws(TaskDataError) {
        if json.take("[") { try readList() } else { try readLines() }
    }

    /// The objects of a list whose bracket has been read.
    private mutating func readList() throws(TaskDataError) {
        if !json.take("]") {
            repeat {
                _ = json.peek()
                let line = json.line
                let value: JSONValue
                do throws(JSONFault) { value = try json.readValue() } catch { throw named(error) }
                try keep(value, line)
            } while json.take(",")
            guard json.take("]") else { throw named(json.unexpected("a ',' or a ']'")) }
        }
        guard json.peek() == nil else { throw named(json.unexpected("the end of the file")) }
    }

    private mutating func readLines() throws(TaskDataError) {
        while json.peek() != nil {
            let line = json.line
            let value: JSONValue
            do throws(JSONFault) {
                value = try json.readLine()
            } catch {
                try skip(named(error))
                continue
            }
            try keep(value, line)
        }
    }

    private mutating func keep(_ value: JSONValue, _ line: Int) throws(TaskDataError) {
        if case .object(let fields) = value {
            records.append(JSONRecord(path: path, line: line, fields: fields))
        } else {
            try skip(.notAnObject(path: path, line: line, found: value.kind))
        }
    }

    private mutating func skip(_ error: TaskDataError) throws(TaskDataError) {
        guard let skipping else { throw error }
        hasSkipped = true
        skipping(error)
    }

    private func named(_ fault: JSONFault) -> TaskDataError {
        TaskDataError(fault, path: path)
    }
}
