import DualJSON
import Foundation
import Testing

@testable import DualDatasets

/// Files that are read in pieces say what they say as a whole.
@Suite struct InstructionReaderTests {
    /// Rows longer and shorter than what is read at once, with brackets, quotes and line ends in them.
    private static let texts: [String] = (0..<300).map { number in
        let piece = #"{[, "\ é🦊]}"# + String(repeating: "x", count: number % 7)
        return String(repeating: piece, count: number % 50 == 49 ? 90_000 : 1 + number % 40)
            + "\n\(number)"
    }

    private static func object(_ text: String) throws -> String {
        let data = try JSONSerialization.data(
            withJSONObject: ["prompt": text, "completion": "so"], options: [.sortedKeys])
        return String(decoding: data, as: UTF8.self)
    }

    @Test(
        "Lines, a list and a table that span many blocks are read as they are read whole",
        arguments: ["jsonl", "json", "csv"])
    func blocks(_ kind: String) throws {
        let objects = try Self.texts.map(Self.object)
        let text =
            switch kind {
            case "jsonl": objects.joined(separator: "\n \n")
            case "json": " \n[\n" + objects.joined(separator: "\n,\n\n") + "] \n"
            default:
                "prompt,completion\n"
                    + Self.texts.map {
                        "\"\($0.replacingOccurrences(of: "\"", with: "\"\""))\",so\r\n"
                    }.joined(separator: "\n")
            }
        let folder = try TaskFolder(["a." + kind: text])
        let file = folder.url.appendingPathComponent("a." + kind)
        let found = try InstructionFiles().read([file]).examples
        #expect(
            found.map(\.example) == Self.texts.map { .completion(prompt: $0, completion: "so") })
        let lines =
            kind == "csv"
            ? try CommaSeparatedFile(contentsOf: file).rows.map(\.line)
            : try JSONRecords(contentsOf: file).records.map(\.line)
        #expect(found.map(\.place) == lines.map { "\(file.relativePath):\($0)" })
    }

    @Test("What is wrong with a list, wherever it breaks off, is told as of the whole file")
    func brokenLists() throws {
        let whole =
            #" [ {"prompt": "a", "completion": [1, {"b": "c\"]"}]} , 3.5e1, {"x": null}, [] ] "#
        let bytes = Array(whole.utf8)
        for end in 0..<bytes.count {
            for inserted in ["", "]", "}", ",", "\"", "x", "\n"] {
                let text = String(decoding: bytes[..<end], as: UTF8.self) + inserted
                let folder = try TaskFolder(["a.json": text])
                let file = folder.url.appendingPathComponent("a.json")
                let expected = message(in: folder) {
                    let records = try JSONRecords(contentsOf: file).records
                    _ = try records.map {
                        try InstructionRow(
                            path: $0.path, line: $0.line, values: $0.fields,
                            fields: InstructionFields()
                        ).example(.completion)
                    }
                }
                var files = InstructionFiles()
                files.format = .completion
                let found = message(in: folder) { _ = try files.read([file]) }
                // Rows before the fault are refused first, as they come first.
                if !found.contains("'completion'") { #expect(found == expected, "\(text)") }
            }
        }
    }

    @Test(
        "A row that is too long is passed over to the row behind it, with none of its bytes kept",
        arguments: ["jsonl", "json", "csv"])
    func longRows(_ kind: String) throws {
        // Quotes and brackets of JSON, and line ends that a table's field may have.
        let long = String(repeating: kind == "csv" ? "a,\n" : #"[\"},\\"#, count: 1_000_000)
        let rows = ["\"first\"", "\"\(long)\"", "\"last\""]
        let text =
            kind == "json"
            ? "[" + rows.joined(separator: ",\n") + "]" : rows.joined(separator: "\n")
        let folder = try TaskFolder(["a." + kind: text])
        let file = folder.url.appendingPathComponent("a." + kind)
        let window = try ByteWindow(file, longestRow: 1_500_000)
        var cutter: any RowCutter =
            switch kind {
            case "jsonl": LineCutter(window)
            case "json": try listCutter(window)
            default: TableCutter(window, separator: .comma)
            }
        var found: [RowBytes] = []
        while let row = try cutter.next() {
            found.append(row)
            #expect(window.bytes.count <= 1_500_000 + 2 << 20)
        }
        #expect(found.map(\.isTooLong) == [false, true, false])
        #expect(found.map(\.bytes.isEmpty) == [false, true, false])
        #expect(
            found.map(\.line) == [
                1, 2, kind == "csv" ? 1_000_003 : 3,
            ])
        #expect(String(decoding: found[2].bytes, as: UTF8.self).contains("\"last\""))
    }

    @Test(
        "A row of more than 16 MiB is refused by its line; bad rows that are left out include it where the next row is known",
        arguments: [("jsonl", true), ("json", false), ("csv", false)])
    func longRowIsRefused(_ kind: String, _ canBeLeftOut: Bool) throws {
        let long = String(repeating: "words ", count: 6_000_000)
        let text =
            switch kind {
            case "csv": "prompt,completion\na,b\n\(long),c\nd,e\n"
            default:
                (kind == "json" ? "[" : "")
                    + [["a", "b"], [long, "c"], ["d", "e"]].map {
                        #"{"prompt": "\#($0[0])", "completion": "\#($0[1])"}"#
                    }.joined(separator: kind == "json" ? ",\n" : "\n") + (kind == "json" ? "]" : "")
            }
        let folder = try TaskFolder(["a." + kind: text])
        let file = folder.url.appendingPathComponent("a." + kind)
        let expected =
            "a.\(kind):\(kind == "csv" ? 3 : 2): the row that begins here has more than 16 MiB; "
            + "split its text into several rows, and check that its quotes and brackets are closed."
        #expect(message(in: folder) { _ = try InstructionFiles().read([file]) }.hasSuffix(expected))
        var files = InstructionFiles()
        files.skipsBadRows = true
        guard canBeLeftOut else {
            #expect(throws: InstructionDataError.self) { try files.read([file]) }
            return
        }
        let contents = try files.read([file])
        #expect(contents.examples.map(\.place) == [1, 3].map { "\(file.relativePath):\($0)" })
        #expect(contents.skipped.count == 1 && contents.skipped[0].hasSuffix(expected))
    }

    private func listCutter(_ window: ByteWindow) throws -> ListCutter {
        _ = try window.skipSpace()
        return ListCutter(window, path: "a.json")
    }

    @Test("The separator of a table is what its header has most of outside quotes")
    func separators() {
        let headers: [(String, FieldSeparator)] = [
            ("a,b,c", .comma), ("a;b;c\n1,2,3,4;5;6", .semicolon), ("a\tb", .tab), ("a|b", .bar),
            ("\"a;b;c;d\",e", .comma), ("a", .comma), ("a;b,c", .comma), ("", .comma),
        ]
        for (header, separator) in headers {
            #expect(FieldSeparator(header: header.utf8) == separator, "\(header)")
        }
    }
}
