import DualDatasets
import Foundation
import Testing

@Suite struct CommonsenseFolderTests {
    private static func json(_ answers: [String]) -> String {
        let rows = answers.map {
            """
            {"instruction": "Q\\n\\nAnswer format: x", "input": "",
             "output": "the correct answer is \($0)", "answer": "\($0)"}
            """
        }
        return "[\n" + rows.joined(separator: ",\n") + "\n]"
    }

    private func folder(_ files: [String: String]) throws -> TaskFolder {
        let folder = try TaskFolder()
        for (name, text) in files {
            let file = folder.url.appendingPathComponent(name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        return folder
    }

    private func sets(_ names: String...) -> [CommonsenseSet] {
        CommonsenseSet.all.filter { names.contains($0.name) }
    }

    @Test("The training sets are merged in the paper's order, and missing ones are known")
    func merging() throws {
        let place = try folder([
            "ARC-Easy/train.json": Self.json(["answer5"]),
            "boolq/train.json": Self.json(["true", "false"]),
            "boolq/test.json": Self.json(["false"]),
            "openbookqa/test.json": Self.json(["answer4", "answer1"]),
        ])
        let data = CommonsenseFolder(place.url, sets: CommonsenseSet.all)
        #expect(data.mergedFile == nil)
        #expect(try data.trainingExamples().map(\.answer) == ["true", "false", "answer5"])
        let tests = try data.testExamples()
        #expect(tests.map(\.set.name) == ["boolq", "obqa"])
        #expect(tests.map(\.examples.count) == [1, 2])
        #expect(try data.testExamples(limit: 1).map(\.examples.count) == [1, 1])
        #expect(
            data.missing(.test).map(\.name)
                == ["piqa", "siqa", "hellaswag", "winogrande", "arc-easy", "arc-challenge"])
    }

    @Test("A merged training file is used in place of the sets' own, but not for one set alone")
    func mergedFile() throws {
        let place = try folder([
            "boolq/train.json": Self.json(["true"]),
            "commonsense_170k.json": Self.json(["option2", "solution1", "answer3", "ending4"]),
        ])
        let all = CommonsenseFolder(place.url, sets: CommonsenseSet.all)
        #expect(
            try all.trainingExamples().map(\.answer)
                == ["option2", "solution1", "answer3", "ending4"])
        let alone = CommonsenseFolder(place.url, sets: sets("boolq"))
        #expect(try alone.trainingExamples().map(\.answer) == ["true"])
    }

    @Test("One set alone is found in its own folder and beside the others")
    func oneSet() throws {
        let place = try folder(["ARC-Challenge/test.json": Self.json(["answer1"])])
        for url in [place.url, place.url.appendingPathComponent("ARC-Challenge")] {
            let data = CommonsenseFolder(url, sets: sets("arc-challenge"))
            #expect(try data.testExamples().map(\.examples.count) == [1])
        }
    }

    static let faults: [(String, String)] = [
        (
            #"{"instruction":"Q","input":"","output":"the correct answer is true","answer":"yes"}"#,
            ":1: 'answer' is 'yes'; it should be 'true' or 'false'."
        ),
        (
            #"{"instruction":"Q","input":"x","output":"the correct answer is true","answer":"true"}"#,
            ":1: 'input' is 'x'; it should be empty: the question belongs into 'instruction'."
        ),
        (
            #"{"instruction":"Q","output":"the correct answer is false","answer":"true"}"#,
            ":1: 'output' is 'the correct answer is false'; "
                + "it should be 'the correct answer is true'."
        ),
        (
            #"{"instruction":" ","output":"true","answer":"true"}"#,
            ":1: 'instruction' is ' '; it should be a text that is not empty."
        ),
        (
            #"{"instruction":"Q","output":"true","answer":true}"#,
            ":1: 'answer' is a truth value; it should be a text."
        ),
        (
            #"{"instruction":"Q","output":"true"}"#,
            ":1: the example has no 'answer', only 'instruction', 'output'; add it."
        ),
    ]

    @Test("A fault of an example names file, line, key and what is right", arguments: faults)
    func fault(_ row: String, _ expected: String) throws {
        let place = try TaskFolder(["test.json": "\n[\(row)]"])
        let found = message(in: place) {
            _ = try CommonsenseFolder(place.url, sets: sets("boolq")).testExamples()
        }
        #expect(found == "DIR/test.json" + expected.replacingOccurrences(of: ":1:", with: ":2:"))
    }

    @Test("A folder without a set that is wanted is refused with the names looked for")
    func nothingThere() throws {
        let place = try TaskFolder()
        let found = message(in: place) {
            _ = try CommonsenseFolder(place.url, sets: sets("obqa")).trainingExamples()
        }
        #expect(
            found
                == "DIR: the folder has no 'train.json' or 'openbookqa/train.json'; "
                + "give the folder that holds the task's files.")
    }
}

/// Reads the public sets where a checkout has them: `shared/data/commonsense` beside or above the
/// package.
@Suite(.enabled(if: CommonsenseFiles.folder != nil)) struct CommonsenseFilesTests {
    @Test("Every example of the real files is read, and its answer is among its choices")
    func realFiles() throws {
        let url = try #require(CommonsenseFiles.folder)
        let data = CommonsenseFolder(url, sets: CommonsenseSet.all)
        let tests = try data.testExamples()
        #expect(tests.map(\.set.name) == ["boolq", "arc-easy", "arc-challenge", "obqa"])
        #expect(tests.map(\.examples.count) == [3270, 2376, 1172, 500])
        #expect(try data.trainingExamples().count == 9427 + 2251 + 1119 + 4957)
        for (set, examples) in tests {
            for example in examples {
                #expect(set.answer(in: example.output) == example.answer)
                #expect(example.output == CommonsenseExample.phrase(example.answer))
                #expect(set.choices(of: example).contains(example.answer))
            }
        }
    }
}

enum CommonsenseFiles {
    static let folder = GLUEFiles.folder?.deletingLastPathComponent()
        .appendingPathComponent("commonsense", isDirectory: true)
}
