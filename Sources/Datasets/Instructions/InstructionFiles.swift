import DualJSON
import Foundation

/// Reads instruction data: JSON, JSON Lines and CSV in the forms of Alpaca, of prompt and completion and
/// of chat messages, and plain text.
public struct InstructionFiles: Sendable {
    /// nil to tell from each file's first row.
    public var format: InstructionFormat?
    public var fields = InstructionFields()
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
    }

    /// The examples of some files.
    public struct Contents: Sendable {
        public internal(set) var examples: [PlacedExample] = []
        /// What was wrong with the rows that were left out, in order.
        public internal(set) var skipped: [String] = []

        public init() {}
    }

    private static let extensions = ["jsonl", "json", "csv", "txt"]

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

    /// The examples of files, in order.
    /// - Throws: ``TaskDataError`` and ``InstructionDataError``, naming file, line and key.
    public func read(_ files: [URL]) throws -> Contents {
        var contents = Contents()
        for file in files {
            let before = (contents.examples.count, contents.skipped.count)
            try read(file, into: &contents)
            guard contents.examples.count > before.0 else {
                throw InstructionDataError.onlyBadRows(
                    path: file.relativePath, count: contents.skipped.count - before.1,
                    first: contents.skipped[before.1...].first ?? "")
            }
        }
        return contents
    }

    private func read(_ file: URL, into contents: inout Contents) throws {
        switch file.pathExtension.lowercased() {
        case "txt":
            contents.examples += try PlainTextFiles(unit: unit).documents(in: [file]).map {
                PlacedExample(example: .text($0), place: file.relativePath)
            }
        case "json", "jsonl", "ndjson":
            let records = try passingOver(&contents.skipped) { skip throws(TaskDataError) in
                try JSONRecords(contentsOf: file, skipping: skip)
            }
            try add(
                records.records.map {
                    InstructionRow(
                        path: records.path, line: $0.line, values: $0.fields, fields: fields)
                }, to: &contents)
        case "csv": try readTable(file, into: &contents)
        default: throw InstructionDataError.unknownKind(path: file.relativePath)
        }
    }

    /// Reads a file, and notes what is wrong with its rows where the user lets them be left out.
    private func passingOver<Contents>(
        _ skipped: inout [String],
        _ read: (((TaskDataError) -> Void)?) throws(TaskDataError) -> Contents
    ) throws -> Contents {
        guard skipsBadRows else { return try read(nil) }
        var descriptions: [String] = []
        defer { skipped += descriptions }
        do throws(TaskDataError) {
            return try read { descriptions.append($0.description) }
        } catch {
            switch error {
            case .strayQuote, .openQuote, .badJSON: throw InstructionDataError.notSkippable(error)
            default: throw error
            }
        }
    }

    private func readTable(_ file: URL, into contents: inout Contents) throws {
        let table = try passingOver(&contents.skipped) { skip throws(TaskDataError) in
            try CommaSeparatedFile(contentsOf: file, skipping: skip)
        }
        var rows: [InstructionRow] = []
        for row in table.rows {
            do throws(TaskDataError) {
                try table.requireFields(of: row)
            } catch {
                guard skipsBadRows else { throw error }
                contents.skipped.append(error.description)
                continue
            }
            let members = zip(table.header, row.fields).map {
                JSONObject.Member(key: $0, value: .string($1))
            }
            rows.append(
                InstructionRow(
                    path: table.path, line: row.line, values: JSONObject(members), fields: fields))
        }
        try add(rows, to: &contents)
    }

    private func add(_ rows: [InstructionRow], to contents: inout Contents) throws {
        guard let first = rows.first else { return }
        // A row of no known form is a bad row, not the file's form.
        let known = skipsBadRows ? rows.lazy.compactMap { try? $0.format() }.first : nil
        let format = try format ?? known ?? first.format()
        for row in rows {
            do throws(InstructionDataError) {
                contents.examples.append(
                    PlacedExample(
                        example: try row.example(format), place: "\(row.path):\(row.line)"))
            } catch {
                guard skipsBadRows else { throw error }
                contents.skipped.append(error.description)
            }
        }
    }
}
