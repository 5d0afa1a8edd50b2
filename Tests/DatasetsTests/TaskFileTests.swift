import Foundation
import Testing

@testable import DualDatasets

/// Files of every kind, before anything is looked for in them.
@Suite struct TaskFileTests {
    /// What the readers of files say of one.
    private static let readers: [(kind: String, read: @Sendable (URL) throws -> Int)] = [
        ("json", { try JSONRecords(contentsOf: $0).records.count }),
        ("csv", { try CommaSeparatedFile(contentsOf: $0).rows.count }),
        ("tsv", { try TabSeparatedFile(contentsOf: $0).lines.count }),
        ("txt", { try PlainTextFiles().documents(in: [$0]).count }),
        ("texts", { try GeneratedTextFiles.texts(in: $0).count }),
    ]

    @Test(
        "A file that is not there and a folder in its place are told as what they are",
        arguments: readers.indices)
    func noFile(_ index: Int) throws {
        let folder = try TaskFolder()
        let read = Self.readers[index].read
        let missing = folder.url.appendingPathComponent("none.\(Self.readers[index].kind)")
        #expect(
            message(in: folder) { _ = try read(missing) }
                == "DIR/\(missing.lastPathComponent): there is no such file; check how its path is "
                + "spelled.")
        #expect(
            message(in: folder) { _ = try read(folder.url) }
                == "DIR: this is a folder; name a file in it.")
    }

    @Test("A byte order mark is no text to learn, and none of the first text to score")
    func byteOrderMark() throws {
        let folder = try TaskFolder(["a.txt": "\u{FEFF}The sea.\nThe land.\n"])
        try withExtendedLifetime(folder) {
            let file = folder.url.appendingPathComponent("a.txt")
            for (unit, first) in [
                (PlainTextFiles.Unit.file, "The sea.\nThe land.\n"), (.line, "The sea."),
            ] {
                let documents = try PlainTextFiles(unit: unit).documents(in: [file])
                #expect(documents.first.map { Array($0.utf8) } == Array(first.utf8))
            }
            let texts = try GeneratedTextFiles.texts(in: file)
            #expect(texts.first.map { Array($0.utf8) } == Array("The sea.".utf8))
        }
    }
}
