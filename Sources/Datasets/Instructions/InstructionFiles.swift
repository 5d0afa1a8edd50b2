import Foundation

/// Reads instruction data: JSON, JSON Lines and CSV in the forms of Alpaca, of prompt and completion and
/// of chat messages, and plain text.
public struct InstructionFiles: Sendable {
    /// nil to tell from each file's first row.
    public var format: InstructionFormat?
    public var fields = InstructionFields()
    /// What stands between the fields of tables; nil to tell from each file's name and header.
    public var separator: FieldSeparator?
    /// Whether rows that cannot be used are left out and counted instead of ending the run.
    public var skipsBadRows = false
    /// What of a plain text is one example.
    public var unit = PlainTextFiles.Unit.file

    public init() {}

    /// An example, and where it is from.
    public struct PlacedExample: Equatable, Sendable {
        public let example: InstructionExample
        /// `path:line` of its row, or the path of a text.
        public let place: String
        /// The keys of its row that say something and are not read.
        public internal(set) var unusedKeys: [String] = []
    }

    /// The examples of some files.
    public struct Contents: Sendable {
        public internal(set) var examples: [PlacedExample] = []
        /// What was wrong with the rows that were left out, in order.
        public internal(set) var skipped: [String] = []

        public init() {}
    }

    private static let extensions = ["jsonl", "json", "csv", "tsv", "txt"]

    /// The files that are meant by a list of files, or by one folder with `train` and `dev` files.
    /// - Returns: nil where a folder has no file for the part.
    /// - Throws: ``TaskDataError``.
    public static func files(_ split: Split, of urls: [URL]) throws(TaskDataError) -> [URL]? {
        guard urls.count == 1, urls[0].isFolder else { return urls }
        let stems = split == .train ? ["train"] : ["dev", "valid", "validation"]
        let names = stems.flatMap { stem in extensions.map { "\(stem).\($0)" } }
        let existing = names.filter { urls[0].appendingPathComponent($0).exists }
        if split == .train, existing.isEmpty {
            throw .missingFile(folder: urls[0].relativePath, lookedFor: names)
        }
        guard existing.count < 2 else {
            throw .severalFiles(folder: urls[0].relativePath, names: existing)
        }
        return existing.first.map { [urls[0].appendingPathComponent($0)] }
    }

    /// What reads the rows of a file, some at a time.
    /// - Throws: ``TaskDataError`` and ``InstructionDataError``.
    public func reader(of file: URL) throws -> InstructionReader {
        try InstructionReader(file, self)
    }

    /// Checks of files what their beginnings show: that they can be read, are of a known form, and have the
    /// fields that the user names.
    /// - Throws: ``TaskDataError`` and ``InstructionDataError``.
    public func check(_ files: [URL]) throws {
        var keys: [String] = []
        var failure: (any Error)?
        for file in files {
            do {
                keys += try reader(of: file).keys
            } catch InstructionDataError.unknownFormat(let path, let line, let found) {
                failure =
                    failure
                    ?? InstructionDataError.unknownFormat(path: path, line: line, keys: found)
                keys += found
            }
        }
        if let file = files.first { try fields.check(keys, path: file.relativePath) }
        if let failure { throw failure }
    }

    /// The examples of files, in order.
    /// - Throws: ``TaskDataError`` and ``InstructionDataError``, naming file, line and key.
    public func read(_ files: [URL]) throws -> Contents {
        var contents = Contents()
        for file in files {
            let before = (contents.examples.count, contents.skipped.count)
            var reader = try reader(of: file)
            while let rows = try reader.next() {
                for index in 0..<rows.count {
                    do {
                        if let example = try rows.example(at: index) {
                            contents.examples.append(example)
                        }
                    } catch {
                        guard leavesOut(error) else { throw error }
                        contents.skipped.append("\(error)")
                    }
                }
            }
            guard contents.examples.count > before.0 else {
                throw InstructionDataError.onlyBadRows(
                    path: file.relativePath, count: contents.skipped.count - before.1,
                    first: contents.skipped[before.1...].first ?? "")
            }
        }
        return contents
    }

    /// Whether a row with such a fault is left out.
    public func leavesOut(_ error: any Error) -> Bool {
        if case InstructionDataError.notSkippable = error { return false }
        return skipsBadRows
    }
}
