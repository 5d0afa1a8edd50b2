import DualDatasets
import DualJSON
import DualTorch
import Foundation
import Testing

@Suite struct JSONRecordsTests {
    private func records(
        _ text: String, skipping: ((TaskDataError) -> Void)? = nil
    ) throws -> [JSONRecord] {
        let folder = try TaskFolder(["a.json": text])
        return try JSONRecords(
            contentsOf: folder.url.appendingPathComponent("a.json"), skipping: skipping
        ).records
    }

    @Test("A list and JSON Lines give the same fields, each with its own lines")
    func bothForms() throws {
        let list = try records("[\n  {\"a\": \"x\"},\n  {\n    \"a\": \"y\"\n  }\n]\n")
        let lines = try records("{\"a\": \"x\"}\n\n {\"a\":\"y\"}\r\n")
        #expect(list.map(\.fields) == lines.map(\.fields))
        #expect(list.map(\.line) == [2, 3])
        #expect(lines.map(\.line) == [1, 3])
        #expect(try list.map { try $0.text("a") } == ["x", "y"])
    }

    @Test("A byte order mark and a missing last line end change nothing")
    func byteOrderMark() throws {
        for text in ["{\"a\":1}", "\u{FEFF}{\"a\":1}", "\u{FEFF} [{\"a\":1}]"] {
            #expect(try records(text).map(\.fields.keys) == [["a"]])
        }
    }

    @Test("Members keep their order and numbers their digits")
    func ordersAndDigits() throws {
        let record = try records(#"{"z": 12345678901234567890, "a": [-0.50e+3, true], "m": {}}"#)[0]
        #expect(record.fields.keys == ["z", "a", "m"])
        #expect(record.fields["z"] == .number("12345678901234567890"))
        #expect(record.fields["a"] == .array([.number("-0.50e+3"), .bool(true)]))
    }

    @Test("Escapes are resolved, surrogate pairs too, and white space in texts stays")
    func escapes() throws {
        let text = #"{"a": " \"\\\/\b\f\n\r\t\u00e9\uD83D\ude00é😀 "}"#
        let expected = " \"\\/\u{8}\u{C}\n\r\t\u{e9}😀é😀 "
        let found = try records(text)[0].text("a")
        #expect(Array(found.utf8) == Array(expected.utf8))
    }

    /// Texts made by JSONSerialization of random values, and what it reads in them.
    @Test("Thousands of random records are what Foundation reads in them")
    func agreesWithFoundation() throws {
        var random = SplitMix64(seed: 1)
        var lines: [String] = []
        var values: [NSDictionary] = []
        for _ in 0..<3000 {
            let value = RandomJSON.object(depth: 3, using: &random)
            let options: JSONSerialization.WritingOptions =
                Bool.random(using: &random) ? [] : [.withoutEscapingSlashes]
            let data = try JSONSerialization.data(withJSONObject: value, options: options)
            lines.append(String(decoding: data, as: UTF8.self))
            let read = try JSONSerialization.jsonObject(with: data)
            values.append(try #require(read as? NSDictionary))
        }
        let list = try records("[" + lines.joined(separator: ",\n") + "]")
        let found = try records(lines.joined(separator: "\n"))
        #expect(list.map(\.fields) == found.map(\.fields))
        #expect(found.map(\.line) == Array(1...3000))
        for (record, value) in zip(found, values) {
            #expect(RandomJSON.foundation(.object(record.fields)).isEqual(value))
        }
    }

    @Test("What is read in thousands of damaged records, Foundation reads too, and alike")
    func damage() throws {
        var random = SplitMix64(seed: 2)
        let seed = Array(#"{"a":[1,-2.5e3,"x\n\u00e9\""],"bé":{"c":null,"d":[true,false]}}"#.utf8)
        let folder = try TaskFolder()
        let file = folder.url.appendingPathComponent("a.json")
        var read = 0
        for _ in 0..<2000 {
            var bytes = seed
            for _ in 0..<Int.random(in: 1...2, using: &random) {
                let place = bytes.indices.randomElement(using: &random) ?? 0
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes.remove(at: place)
                case 1: bytes[place] = seed.randomElement(using: &random) ?? 0
                default:
                    bytes.insert(UInt8.random(in: 0x20...0xFF, using: &random), at: place)
                }
            }
            try folder.write(bytes, to: "a.json")
            guard let record = try? JSONRecords(contentsOf: file).records.first else { continue }
            read += 1
            let value = try JSONSerialization.jsonObject(with: Data(bytes)) as? NSDictionary
            #expect(RandomJSON.foundation(.object(record.fields)).isEqual(value))
        }
        #expect(read > 50)
    }

    @Test("An object of many keys is read at once, and one that comes twice is found behind them")
    func manyKeys() throws {
        let keys = (0..<100_000).map { "\"key\($0)\":\($0)" }.joined(separator: ",")
        let fields = try records("{\(keys)}")[0].fields
        #expect(fields.members.count == 100_000)
        for key in ["key3", "key99999"] {
            #expect(throws: TaskDataError.self) { try self.records("{\(keys),\"\(key)\":0}") }
        }
    }

    static let faults: [(String, String)] = [
        ("", ": the file has no examples; it should have at least one."),
        (" [ ] ", ": the file has no examples; it should have at least one."),
        ("[{\"a\":1},\n{\"a\":1", ":2: the file ends where a ',' or a '}' should stand."),
        ("[{\"a\":1}\n{\"a\":1}]", ":2: '{' stands where a ',' or a ']' should."),
        ("[{\"a\":1}]\nx", ":2: 'x' stands where the end of the file should."),
        ("[{\"a\":1}, {\"a\":1},]", ":1: ']' stands where a value should."),
        (
            "{\"a\":1}\n{\"a\"\n:1}",
            ":2: the line ends where a ':' behind the key 'a' should stand; "
                + "JSON Lines have one object a line."
        ),
        ("{\"a\":1} {\"a\":2}", ":1: '{' stands where the end of the line should."),
        ("{\"a\":1}\n[2]", ":2: the example is a list; it should be an object with keys: {...}."),
        ("[{}, \"x\"]", ":1: the example is a text; it should be an object with keys: {...}."),
        ("{\"a\":1,\"a\":2}", ":1: the key 'a' comes twice in one object."),
        ("{\"a\":01}", ":1: '01' is not a number as JSON spells it."),
        ("{\"a\":-}", ":1: '-' is not a number as JSON spells it."),
        ("{\"a\":1.}", ":1: '1.' is not a number as JSON spells it."),
        ("{\"a\":NaN}", ":1: 'N' stands where a value should."),
        (
            "{\"a\":\"x\ty\"}",
            ":1: a text has a control character in it; a line end is spelled \\n."
        ),
        ("[{\"a\":\"x", ":1: the file ends where the closing quote of a text should stand."),
        ("{\"a\":\"\\x\"}", ":1: a text has a backslash that begins no escape of JSON."),
        (
            "{\"a\":\"\\ud800\"}",
            ":1: a text has \\ud800, half of a surrogate pair, alone; the two halves stand one behind the "
                + "other."
        ),
        (
            "{\"a\":\"\\ud800\\u0041\"}",
            ":1: a text has \\ud800, half of a surrogate pair, alone; the two halves stand one behind the "
                + "other."
        ),
        ("{\"a\":\"\\\"}", ":1: the file ends where the closing quote of a text should stand."),
        (
            "{\"a\":" + String(repeating: "[", count: 100_000),
            ":1: lists and objects nest more than 64 times."
        ),
    ]

    @Test("A fault names file, line and what should stand there", arguments: faults)
    func fault(_ text: String, _ expected: String) throws {
        let folder = try TaskFolder(["a.json": text])
        let found = message(in: folder) {
            _ = try JSONRecords(contentsOf: folder.url.appendingPathComponent("a.json"))
        }
        #expect(found == "DIR/a.json\(expected)")
    }

    @Test("Bytes that are no UTF-8 are named with their line, and a file that is not there")
    func badFiles() throws {
        let folder = try TaskFolder()
        try folder.write(Array("{\"a\":1}\n{\"a\":\"".utf8) + [0xFF, 0x22, 0x7D], to: "a.json")
        func found(_ name: String) -> String {
            message(in: folder) {
                _ = try JSONRecords(contentsOf: folder.url.appendingPathComponent(name))
            }
        }
        #expect(
            found("a.json")
                == "DIR/a.json:2: the line is not valid UTF-8; save the file in that encoding.")
        #expect(
            found("b.json") == "DIR/b.json: there is no such file; check how its path is spelled.")
    }

    @Test("Bad lines are left out and told where that is wanted, those after them are read")
    func skipping() throws {
        var told: [String] = []
        let text = "{\"a\":1}\n{\"a\":\nnull\n{\"a\":3}}\n\n{\"a\":4}"
        let found = try records(text) {
            told.append("\($0)".components(separatedBy: "a.json").last ?? "")
        }
        #expect(found.map(\.line) == [1, 6])
        #expect(told.count == 3)
        #expect(told.map { $0.prefix(3) } == [":2:", ":3:", ":4:"])
    }

    @Test("In a list what is no object is left out, but a list that breaks off is refused")
    func skippingInLists() throws {
        var told = 0
        #expect(try records("[1,{\"a\":1},[]]") { _ in told += 1 }.count == 1)
        #expect(told == 2)
        #expect(throws: TaskDataError.self) { try self.records("[{\"a\":1}, {") { _ in } }
    }

    @Test("A missing field and one of another kind are named with what there is")
    func fields() throws {
        let folder = try TaskFolder(["a.json": "[{\"b\":1,\n\"c\":\"\"}]"])
        let file = folder.url.appendingPathComponent("a.json")
        let record = try JSONRecords(contentsOf: file).records[0]
        #expect(
            message(in: folder) { _ = try record.text("a") }
                == "DIR/a.json:1: the example has no 'a', only 'b', 'c'; add it.")
        #expect(
            message(in: folder) { _ = try record.text("b") }
                == "DIR/a.json:1: 'b' is a number; it should be a text.")
    }
}
