import Foundation
import Mutations
import Testing

@testable import DualDatasets
@testable import DualJSON

/// Files with errors anywhere: read or refused, and by no other than the errors of a file.
@Suite struct MutationTests {
    private static let json = [
        "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud83d", "\\ude00", "\\n", "\\x", "0",
        "-", "-0",
        "01", "1.", ".5", "1e", "1e400", "+1", "NaN", "true", "nul", "null", "\"a\":", "\"\"", "\t",
        "\n",
        "\r", "\u{0}", "\u{1F}", "é", "😀", "//", "'a'", "\u{FEFF}", "{\"a\":1}", "[[[[", "]]]]",
    ]
    private static let values = [
        #"{"a":[1,-2.5e3,"x\n\u00e9\"","\ud83d\ude00"],"bé":{"c":null,"d":[true,false]}}"#,
        #"[[1 , 2],{ "a" : -1.0e+5 }, [], {}, "", 0]"#, #""\u12aF\/\b😀""#, " -0.25E-2 ",
    ]

    @Test("JSON is accepted or refused as Foundation does it", arguments: 1...4)
    func verdict(seed: UInt64) {
        var mutator = Mutator(seed: seed, words: Self.json)
        var accepted = 0
        for _ in 0..<10_000 {
            let bytes = mutator.changed(oneOf: Self.values)
            let isJSON =
                (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed))
                != nil
            do {
                _ = try JSONReader.value(of: bytes)
                accepted += 1
                // A number beyond what Double holds is one all the same.
                let text = String(decoding: bytes, as: UTF8.self)
                #expect(isJSON || text.contains(/[eE][+-]?\d{3}|\d{300}/), "\(text)")
            } catch {
                guard isJSON else { continue }
                // Foundation allows what RFC 8259 does not, a comma before a bracket, and what it leaves
                // open: keys that come twice. It takes null bytes for a sign of UTF-16.
                let known = ["']' stands where", "'}' stands where", "twice", "surrogate"]
                let isKnown = known.contains { error.message.contains($0) }
                #expect(isKnown || bytes.contains(0), "\(error.message)")
            }
        }
        #expect(500..<9500 ~= accepted)
    }

    /// A reader of a file, a file of each kind that it reads, and what their language is made of.
    struct Reader: Sendable, CustomTestStringConvertible {
        let name: String
        let files: [String]
        let words: [String]
        let read: @Sendable (URL) throws -> Void
        var testDescription: String { name }
    }

    private static let table = [
        ",", "\"", "\"\"", "\n", "\r\n", "\r", "\t", " ", "mr", "ref", "label", "é", "\u{FEFF}",
        "\u{0}", "1",
        "0", "-1", "5.0", "nan", "1e999", "entailment", "name[x]", "[", "]", "|",
    ]
    static let readers = [
        Reader(
            name: "a.csv", files: ["mr,ref\n\"name[x], a \"\"b\"\"\nc\",é\n1,2\r\n\n3,4\n"],
            words: table
        ) { _ = try CommaSeparatedFile(contentsOf: $0) { _ in } },
        Reader(
            name: "a.json",
            files: ["{\"a\":1}\n{\"b\":\"x\"}\n\n{\"c\":[1]}\n", "[{\"a\":1},\n{}]"],
            words: json
        ) { _ = try JSONRecords(contentsOf: $0) { _ in } },
        Reader(
            name: "trainset.csv",
            files: [
                "mr,ref\n\"name[The Eagle], food[x]\",A text.\n\"name[B]\",\"Two, \"\"y\"\".\"\n"
            ],
            words: table
        ) { _ = E2EFiles.inputs(try E2EFiles.pairs(in: $0)) },
        Reader(
            name: "chat.json",
            files: [
                #"[{"instruction":"a","input":"b","output":"c","history":[["q","r"]],"system":"s"}]"#,
                #"{"messages":[{"role":"user","content":"h"},{"role":"assistant","content":"x"}]}"#,
                #"{"conversations":[{"from":"human","value":"q"},{"from":"gpt","value":"a"}]}"#,
                #"{"prompt":[{"role":"user","content":"h"}],"completion":"x"}"#,
            ],
            words: json + ["\"role\":", "\"content\":", "\"from\":", "\"value\":", "\"output\":"]
        ) { _ = try InstructionFiles().read([$0]) },
        Reader(name: "a.txt", files: ["a\n\nb é\r\n"], words: table) {
            for unit in [PlainTextFiles.Unit.file, .line] {
                _ = try PlainTextFiles(unit: unit).documents(in: [$0])
            }
        },
        Reader(
            name: "train.tsv",
            files: [
                "gj04\t1\t\tA sentence.\ngj04\t0\t*\tNot one.\n",
                "index\tsentence1\tsentence2\tlabel\n0\ta\tb\tentailment\n1\tc\td\tnot_entailment\n",
                "g\tf\t2017\t1\t5.000\ta\tb\ng\tf\t2017\t2\t0.25\tc\td\n",
            ], words: table
        ) { file in
            let folder = file.deletingLastPathComponent()
            var refusal: (any Error)?
            for task in [CoLA.self, RTE.self, STSB.self] as [any SentenceTask.Type] {
                do {
                    try check { _ = try task.examples(.train, in: folder) }
                    return
                } catch { refusal = error }
            }
            if let refusal { throw refusal }
        },
    ]

    /// What is thrown is an error of the data's.
    private static func check(_ read: () throws -> Void) throws {
        do { try read() } catch {
            #expect(error is TaskDataError || error is InstructionDataError, "\(error)")
            throw error
        }
    }

    @Test("A file with an error anywhere is read or refused", arguments: readers)
    func files(_ reader: Reader) throws {
        var mutator = Mutator(seed: 1, words: reader.words)
        let folder = try TaskFolder()
        var read = 0
        for _ in 0..<4000 {
            try folder.write(mutator.changed(oneOf: reader.files), to: reader.name)
            let file = folder.url.appendingPathComponent(reader.name)
            if (try? Self.check { try reader.read(file) }) != nil { read += 1 }
        }
        #expect(100..<4000 ~= read)
    }
}
