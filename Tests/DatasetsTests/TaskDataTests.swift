import DualDatasets
import Foundation
import Testing

@Suite struct TaskDataTests {
    @Test(
        "Line ends, a byte order mark and a missing last end change nothing",
        arguments: ["", "\u{FEFF}"], ["\n", "\r\n"])
    func lineEnds(_ mark: String, _ end: String) throws {
        let text = mark + ["a\t1\t\tOne.", "b\t0\t*\tTwo."].joined(separator: end)
        for tail in ["", end] {
            let folder = try TaskFolder(["dev.tsv": text + tail])
            let examples = try CoLA.examples(.dev, in: folder.url)
            #expect(examples.map(\.text) == ["One.", "Two."])
        }
    }

    @Test("Only a line feed ends a line, whatever Unicode calls a separator")
    func otherSeparators() throws {
        let sentence = "a\u{2028}b\u{85}c\u{0B}d\u{0C}e\rf"
        let folder = try TaskFolder(["dev.tsv": "a\t1\t\t\(sentence)\r\n"])
        let examples = try CoLA.examples(.dev, in: folder.url)
        #expect(examples.count == 1)
        #expect(examples.first.map { Array($0.text.utf8) } == Array(sentence.utf8))
    }

    @Test("Text is kept as the file has it, spaces around it included")
    func textIsVerbatim() throws {
        let folder = try TaskFolder(["dev.tsv": "a\t1\t\t Two  spaces. \n"])
        #expect(try CoLA.examples(.dev, in: folder.url).first?.text == " Two  spaces. ")
    }

    static let colaFaults: [(String, String)] = [
        (
            "a\t1\tOne.\n",
            "1: the line has 3 columns; it should have 4, separated by tabs: "
                + "source, label, mark, sentence."
        ),
        (
            "a\t1\t\tOne.\n\nb\t1\t\tTwo.\n",
            "2: the line is empty; remove it or put an example there."
        ),
        (
            "a\t1\t\tOne.\nb\tyes\t\tTwo.\n",
            "2: label 'yes' is unknown; it should be '0' or '1'."
        ),
        ("a\t1\t\t  \n", "1: column 'sentence' is empty; it should hold a sentence."),
        (
            "One.",
            "1: the line has 1 column; it should have 4, separated by tabs: "
                + "source, label, mark, sentence."
        ),
    ]

    @Test("A fault of CoLA's names file, line, fault and remedy", arguments: colaFaults)
    func colaFault(_ text: String, _ expected: String) throws {
        let folder = try TaskFolder(["train.tsv": text])
        let found = message(in: folder) { _ = try CoLA.examples(.train, in: folder.url) }
        #expect(found == "DIR/train.tsv:\(expected)")
    }

    static let header = "index\tsentence1\tsentence2\tlabel\n"
    static let rteFaults: [(String, String)] = [
        (
            "0\tA.\tB.\tentailment\n",
            ":1: the header is '0 A. B. entailment'; "
                + "it should be 'index sentence1 sentence2 label', separated by tabs."
        ),
        (header, ": the file has no examples; it should have at least one."),
        (
            header + "0\tA.\t\tentailment\n",
            ":2: column 'sentence2' is empty; it should hold a sentence."
        ),
        (
            header + "0\tA.\tB.\tneutral\n",
            ":2: label 'neutral' is unknown; "
                + "it should be 'entailment' or 'not_entailment'."
        ),
    ]

    @Test("A fault of RTE's names file, line, fault and remedy", arguments: rteFaults)
    func rteFault(_ text: String, _ expected: String) throws {
        let folder = try TaskFolder(["dev.tsv": text])
        let found = message(in: folder) { _ = try RTE.examples(.dev, in: folder.url) }
        #expect(found == "DIR/dev.tsv\(expected)")
    }

    @Test(
        "A score is a decimal number from 0 to 5",
        arguments: ["abc", "", "nan", "inf", "-0.1", "5.01", "0x1", "1e400", " 3", "3,5"])
    func badScores(_ score: String) throws {
        let folder = try TaskFolder(["train.csv": "g\tf\ty\ti\t\(score)\tOne.\tTwo.\n"])
        let found = message(in: folder) { _ = try STSB.examples(.train, in: folder.url) }
        #expect(found == "DIR/train.csv:1: score '\(score)' is not a number from 0 to 5.")
    }

    @Test("Bytes that are not UTF-8 are reported with their line")
    func invalidUTF8() throws {
        let folder = try TaskFolder()
        try folder.write(
            [UInt8]("a\t1\t\tOne.\nb\t1\t\tTw".utf8) + [0xFF, 0x0A], to: "train.tsv")
        let found = message(in: folder) { _ = try CoLA.examples(.train, in: folder.url) }
        #expect(
            found == "DIR/train.tsv:2: the line is not valid UTF-8; save the file in that encoding."
        )
    }

    @Test("An empty file has no examples", arguments: ["", "\u{FEFF}"])
    func emptyFile(_ text: String) throws {
        let folder = try TaskFolder(["train.csv": text])
        let found = message(in: folder) { _ = try STSB.examples(.train, in: folder.url) }
        #expect(found == "DIR/train.csv: the file has no examples; it should have at least one.")
    }

    @Test("A missing file is reported with every name that was looked for")
    func missingFile() throws {
        let folder = try TaskFolder()
        let found = message(in: folder) { _ = try STSB.examples(.dev, in: folder.url) }
        #expect(
            found == "DIR: the folder has no 'dev.csv' or 'dev.tsv'; "
                + "give the folder that holds the task's files.")
    }

    @Test("A folder that is missing, or that is a file, is reported as that")
    func badFolder() throws {
        let folder = try TaskFolder(["train.tsv": "a\t1\t\tOne.\n"])
        let missing = folder.url.appendingPathComponent("absent", isDirectory: true)
        #expect(
            message(in: folder) { _ = try CoLA.examples(.train, in: missing) }
                == "DIR/absent: there is no such folder; "
                + "give the folder that holds the task's files.")
        let file = folder.url.appendingPathComponent("train.tsv", isDirectory: false)
        #expect(
            message(in: folder) { _ = try CoLA.examples(.train, in: file) }
                == "DIR/train.tsv: this is a file; give the folder that holds the task's files.")
    }

    @Test("A folder in a file's place is named as one")
    func folderInAFilesPlace() throws {
        let folder = try TaskFolder()
        try FileManager.default.createDirectory(
            at: folder.url.appendingPathComponent("train.tsv"), withIntermediateDirectories: true)
        let found = message(in: folder) { _ = try CoLA.examples(.train, in: folder.url) }
        #expect(found == "DIR/train.tsv: this is a folder; name a file in it.")
    }
}
