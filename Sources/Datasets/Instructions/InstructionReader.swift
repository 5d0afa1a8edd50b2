import Foundation

/// Reads the rows of one file of instruction data, some at a time, so that no more of the file is in
/// memory.
public struct InstructionReader {
    /// Rows of a file, each to be read by itself, on any thread.
    public struct Rows: Sendable {
        let rows: [RowBytes]
        let source: InstructionSource

        public var count: Int { rows.count }

        /// A row as an example; nil for a line of white space.
        /// - Throws: ``InstructionDataError`` and ``TaskDataError``, naming file, line and key;
        ///   ``InstructionDataError/notSkippable(_:)`` where bad rows are left out and this one hides where
        ///   the next begins.
        public func example(at index: Int) throws -> InstructionFiles.PlacedExample? {
            guard let row = try source.row(rows[index]) else { return nil }
            return .init(
                example: try row.example(source.format),
                place: source.isText ? row.path : "\(row.path):\(row.line)",
                unusedKeys: row.unusedKeys(source.format))
        }
    }

    private var cutter: any RowCutter
    private var source: InstructionSource
    /// Rows that were read to learn their form.
    private var waiting: [RowBytes] = []
    /// What is wrong with the file behind the rows that were read.
    private var failure: TaskDataError?

    private static let rowsAtOnce = 2048
    private static let bytesAtOnce = 1 << 22

    /// - Throws: ``TaskDataError`` and ``InstructionDataError`` for a file that cannot be read, has no row or
    ///   none of a known form.
    init(_ file: URL, _ files: InstructionFiles) throws {
        (source, cutter) = try InstructionSource.open(file, files)
        waiting = cut()
        guard !waiting.isEmpty else { throw try failed() ?? TaskDataError.empty(path: source.path) }
        guard !source.isText else { return }
        source.format = try files.format ?? format() ?? source.format
    }

    /// The next rows; nil behind the last.
    /// - Throws: what is wrong with the file behind the rows that came before.
    public mutating func next() throws -> Rows? {
        var rows = waiting
        waiting = []
        if rows.isEmpty {
            if let failure = try failed() { throw failure }
            rows = cut()
            if rows.isEmpty, let failure = try failed() { throw failure }
        }
        return rows.isEmpty ? nil : Rows(rows: rows, source: source)
    }

    /// The keys of the first row that can be read.
    var keys: [String] {
        waiting.lazy.compactMap { try? source.row($0)?.values.keys }.first ?? []
    }

    private func failed() throws -> (any Error)? { failure.map(source.named) }

    private mutating func cut() -> [RowBytes] {
        var (rows, bytes) = ([RowBytes](), 0)
        do throws(TaskDataError) {
            while rows.count < Self.rowsAtOnce, bytes < Self.bytesAtOnce,
                let row = try cutter.next()
            {
                rows.append(row)
                bytes += row.bytes.count
            }
        } catch {
            failure = error
        }
        return rows
    }

    /// The form of the first row; where bad rows are left out, of the first that has a known one. nil where
    /// no row can be read.
    private func format() throws -> InstructionFormat? {
        var unknown: (any Error)?
        for row in waiting {
            do {
                guard let row = try source.row(row) else { continue }
                do { return try row.format() } catch { unknown = unknown ?? error }
            } catch {
                // Who reads on learns of it.
                if !source.skipsBadRows { throw error }
            }
            if !source.skipsBadRows { break }
        }
        if let unknown { throw unknown }
        return nil
    }
}
