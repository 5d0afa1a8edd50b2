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
