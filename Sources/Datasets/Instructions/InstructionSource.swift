import DualJSON
import Foundation

/// What the rows of a file have in common: how they are read.
struct InstructionSource: Sendable {
    enum Kind: Sendable {
        case lines, list
        case table(header: [String], FieldSeparator)
        /// Each row's bytes are a text.
        case text
    }

    let path: String
    let kind: Kind
    let fields: InstructionFields
    let skipsBadRows: Bool
    var format = InstructionFormat.text

    var isText: Bool { if case .text = kind { true } else { false } }

    /// - Throws: ``TaskDataError`` and ``InstructionDataError/unknownKind(path:)``.
    static func open(
        _ file: URL, _ files: InstructionFiles
    ) throws -> (InstructionSource, any RowCutter) {
        let path = file.relativePath
        func made(_ kind: Kind, _ cutter: any RowCutter) -> (InstructionSource, any RowCutter) {
            let source = InstructionSource(
                path: path, kind: kind, fields: files.fields, skipsBadRows: files.skipsBadRows)
            return (source, cutter)
        }
        switch file.pathExtension.lowercased() {
        case "txt":
            return made(
                .text, TextCutter(try PlainTextFiles(unit: files.unit).documents(in: [file])))
        case "json", "jsonl", "ndjson":
            let window = try ByteWindow(file)
            if try window.skipSpace() == UInt8(ascii: "[") {
                return made(.list, ListCutter(window, path: path))
            }
            return made(.lines, LineCutter(window))
        case "csv", "tsv":
            let window = try ByteWindow(file)
            let separator =
                try files.separator
                ?? (file.pathExtension.lowercased() == "tsv" ? .tab : window.separator())
            var cutter = TableCutter(window, separator: separator)
            guard let first = try cutter.next() else { throw TaskDataError.empty(path: path) }
            guard !first.isTooLong else {
                throw TaskDataError.rowTooLong(path: path, line: first.line)
            }
            var scanner = CommaSeparatedScanner(
                first.bytes, path: path, separator: separator, line: first.line)
            let header = try scanner.nextRow().map { row throws(TaskDataError) in
                try scanner.texts(of: row).fields
            }
            for (index, name) in (header ?? []).enumerated()
            where header?[..<index].contains(name) ?? false {
                throw TaskDataError.repeatedColumn(path: path, name: name)
            }
            return made(.table(header: header ?? [], separator), cutter)
        default: throw InstructionDataError.unknownKind(path: path)
        }
    }

    /// A row's fields by their keys; nil for a line of white space.
    func row(_ bytes: RowBytes) throws -> InstructionRow? {
        do throws(TaskDataError) {
            guard !bytes.isTooLong else { throw .rowTooLong(path: path, line: bytes.line) }
            switch kind {
            case .text:
                let text = String(decoding: bytes.bytes, as: UTF8.self)
                return row(bytes.line, [.init(key: "text", value: .string(text))])
            case .table(let header, let separator):
                return try tableRow(bytes, header, separator)
            case .lines, .list:
                let (line, value) = try value(bytes)
                guard case .object(let object) = value else {
                    throw .notAnObject(path: path, line: line, found: value.kind)
                }
                return row(line, object.members)
            }
        } catch {
            throw named(error)
        }
    }

    /// An error as it is thrown: where bad rows are left out, one that hides where the next row begins is
    /// told from others.
    func named(_ error: TaskDataError) -> any Error {
        guard skipsBadRows else { return error }
        switch error {
        case .strayQuote, .openQuote: return InstructionDataError.notSkippable(error)
        case .badJSON, .notUTF8:
            if case .list = kind { return InstructionDataError.notSkippable(error) }
            return error
        case .rowTooLong:
            // Of the others, a quote or a bracket may be what does not end.
            if case .lines = kind { return error }
            return InstructionDataError.notSkippable(error)
        default: return error
        }
    }

    private func row(_ line: Int, _ members: [JSONObject.Member]) -> InstructionRow {
        InstructionRow(path: path, line: line, values: JSONObject(members), fields: fields)
    }

    private func value(_ bytes: RowBytes) throws(TaskDataError) -> (line: Int, value: JSONValue) {
        var json = JSONReader(bytes.bytes, line: bytes.line)
        _ = json.peek()
        let line = json.line
        do throws(JSONFault) {
            guard case .list = kind else { return (line, try json.readLine()) }
            let value = try json.readValue()
            guard json.take(",") || json.take("]") else { throw json.unexpected("a ',' or a ']'") }
            return (line, value)
        } catch {
            throw TaskDataError(error, path: path)
        }
    }

    private func tableRow(
        _ bytes: RowBytes, _ header: [String], _ separator: FieldSeparator
    ) throws(TaskDataError) -> InstructionRow? {
        var scanner = CommaSeparatedScanner(
            bytes.bytes, path: path, separator: separator, line: bytes.line)
        guard let raw = try scanner.nextRow() else { return nil }
        let texts = try scanner.texts(of: raw)
        guard texts.fields.count == header.count else {
            throw .fieldCount(
                path: path, line: texts.line, found: texts.fields.count, expected: header,
                separator: separator)
        }
        return row(
            texts.line,
            zip(header, texts.fields).map { JSONObject.Member(key: $0, value: .string($1)) })
    }
}

/// Texts that are rows already.
private struct TextCutter: RowCutter {
    private var texts: ArraySlice<String>

    init(_ texts: [String]) { self.texts = texts[...] }

    mutating func next() throws(TaskDataError) -> RowBytes? {
        texts.popFirst().map { RowBytes(bytes: Array($0.utf8), line: 1) }
    }
}

extension ByteWindow {
    /// What stands between the fields of the header that comes first.
    fileprivate func separator() throws(TaskDataError) -> FieldSeparator {
        _ = try reaches(start)
        return FieldSeparator(header: bytes[start...].drop { $0 == 0xA || $0 == 0xD })
    }
}
