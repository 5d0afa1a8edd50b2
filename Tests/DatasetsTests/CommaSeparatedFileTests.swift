import DualDatasets
import Foundation
import Testing

@Suite struct CommaSeparatedFileTests {
    private func file(_ text: String) throws -> CommaSeparatedFile {
        let folder = try TaskFolder(["a.csv": text])
        return try CommaSeparatedFile(contentsOf: folder.url.appendingPathComponent("a.csv"))
    }

    @Test(
        "Line ends, a byte order mark, empty lines and a missing last end change no field",
        arguments: ["", "\u{FEFF}"], ["\n", "\r\n"])
    func lineEnds(_ mark: String, _ end: String) throws {
        let lines = ["mr,ref", "", "a,\"b, c\"", "d,"]
        for tail in ["", end, end + end] {
            let file = try file(mark + lines.joined(separator: end) + tail)
            #expect(file.header == ["mr", "ref"])
            #expect(file.rows.map(\.fields) == [["a", "b, c"], ["d", ""]])
            #expect(file.rows.map(\.line) == [3, 4])
        }
    }

    @Test("A quoted field holds commas, line ends and doubled quotes, and its lines count")
    func quotedField() throws {
        let file = try file("x,y\n\"one \"\"1\"\"\r\ntwo\n\",\"\"\nz, w \n")
        #expect(file.rows.map(\.fields) == [["one \"1\"\r\ntwo\n", ""], ["z", " w "]])
        #expect(file.rows.map(\.line) == [2, 5])
    }

    @Test("A row keeps a wrong number of fields until it is checked")
    func fieldCount() throws {
        let file = try file("x,y\n1\n1,2,3\n1,2\n")
        #expect(file.rows.map(\.fields.count) == [1, 3, 2])
        #expect(
            throws: TaskDataError.fieldCount(
                path: file.path, line: 3, found: 3, expected: ["x", "y"])
        ) { try file.requireFields(of: file.rows[1]) }
        try file.requireFields(of: file.rows[2])
    }

    @Test("A column is found whatever the case of its name, the same case first")
    func columns() throws {
        let file = try file("MR,ref,Ref\n1,2,3\n")
        #expect(file.column("mr") == 0)
        #expect(file.column("Ref") == 2)
        #expect(file.column("reference") == nil)
    }

    static let faults: [(String, String)] = [
        ("", ": the file has no examples; it should have at least one."),
        ("x,y\n\n", ": the file has no examples; it should have at least one."),
        (
            "x,y\na \"b\",c\n",
            ":2: a double quote stands inside a field; "
                + "put the whole field in quotes and write each quote in it twice."
        ),
        (
            "x,y\n1,2\n\"a\nb\"c,d\n",
            ":4: a double quote stands inside a field; "
                + "put the whole field in quotes and write each quote in it twice."
        ),
        (
            "x,y\n1,2\n3,\"a\nb\n",
            ":3: the quoted field that begins here does not end; close it with a double quote."
        ),
        ("x,x\n1,2\n", ":1: the header names two columns 'x'; give each its own name."),
    ]

    @Test("A fault names file, line, fault and remedy", arguments: faults)
    func fault(_ text: String, _ expected: String) throws {
        let folder = try TaskFolder(["a.csv": text])
        let found = message(in: folder) {
            _ = try CommaSeparatedFile(contentsOf: folder.url.appendingPathComponent("a.csv"))
        }
        #expect(found == "DIR/a.csv\(expected)")
    }

    @Test("Bytes that are not UTF-8 are named with the line that holds them")
    func notUTF8() throws {
        let folder = try TaskFolder()
        try folder.write([UInt8]("x,y\n1,\"a\nb".utf8) + [0xFF] + [UInt8]("\"\n".utf8), to: "a.csv")
        let found = message(in: folder) {
            _ = try CommaSeparatedFile(contentsOf: folder.url.appendingPathComponent("a.csv"))
        }
        #expect(
            found == "DIR/a.csv:3: the line is not valid UTF-8; save the file in that encoding.")
    }
}
