import DualDatasets
import Foundation
import Testing

@Suite struct E2ETests {
    private func meaning(_ text: String) throws -> MeaningRepresentation {
        try #require(MeaningRepresentation(text))
    }

    @Test("A meaning is a line of names and values, with words and signs apart")
    func linearized() throws {
        let meaning = try meaning(
            "name[The Vaults], eatType[pub], priceRange[£20-25], customer rating[5 out of 5], "
                + "familyFriendly[yes], near[Café Adriatic]")
        #expect(
            meaning.linearized
                == "name : The Vaults | Type : pub | price : £ 20 - 25 | "
                + "customer rating : 5 out of 5 | family friendly : yes | near : Café Adriatic")
    }

    @Test(
        "What is no meaning is refused",
        arguments: ["", "name", "name[A", "[A]", "name[A] eatType[pub]", "name[A],", "a, b[c]"])
    func badMeanings(_ text: String) {
        #expect(MeaningRepresentation(text) == nil)
    }

    @Test(
        "Words and signs stand apart, numbers and abbreviations do not",
        arguments: [
            ("It's family-friendly.", "It 's family - friendly ."),
            ("Isn't it \"cheap\" (under £20)?", "Is n't it \" cheap \" ( under £ 20 ) ?"),
            ("Good,cheap and/or near St. Mary.Yes", "Good , cheap and / or near St. Mary . Yes"),
            ("Rated 3.5, £20-25... 'fine'", "Rated 3.5 , £ 20 - 25 ... ' fine '"),
            ("  two   spaces ", "two spaces"), ("U.K. food.", "U.K. food ."), ("", ""),
        ])
    func spaced(_ text: String, _ expected: String) {
        #expect(E2EText.spaced.form(text) == expected)
        #expect(E2EText.plain.form(text) == text)
    }

    private static func rows(_ meanings: [(String, String)]) -> String {
        "mr,ref\r\n"
            + meanings.map { "\"name[\($0.0)], area[riverside]\",\"\($0.1)\"\r\n" }.joined()
    }

    @Test("Texts come together by their meaning, in the order of the file")
    func inputs() throws {
        let folder = try TaskFolder(["devset.csv": Self.rows([("A", "1"), ("B", "2"), ("A", "3")])])
        let pairs = try E2EFiles.pairs(in: folder.url.appendingPathComponent("devset.csv"))
        let inputs = E2EFiles.inputs(pairs)
        #expect(inputs.map(\.references) == [["1", "3"], ["2"]])
        #expect(inputs.map(\.meaning.slots[0].value) == ["A", "B"])
    }

    @Test("With a training file the dev file scores, whole")
    func bothFiles() throws {
        let folder = try TaskFolder([
            "trainset.csv": Self.rows([("A", "1"), ("B", "2")]),
            "devset.csv": Self.rows([("C", "3")]),
        ])
        let files = try E2EFiles(trainingIn: folder.url)
        #expect(files.training.map(\.text) == ["1", "2"])
        #expect(files.scoring.map(\.text) == ["3"])
        #expect(files.note == nil)
    }

    @Test("Without a training file the dev file is split by meaning, and a note says so")
    func split() throws {
        let texts = (0..<40).map { ("M\($0 % 20)", "text \($0)") }
        let folder = try TaskFolder(["devset.csv": Self.rows(texts)])
        let files = try E2EFiles(trainingIn: folder.url)
        #expect(files.scoring.map(\.text) == ["text 1", "text 11", "text 21", "text 31"])
        #expect(files.training.count == 36)
        let meanings = Set(files.training.map(\.meaning))
        #expect(files.scoring.allSatisfy { !meanings.contains($0.meaning) })
        #expect(
            files.note == "there is no trainset.csv: of the 20 meanings of devset.csv, "
                + "18 train and 2 score")
    }

    @Test("A score reads the test file of a folder, else the dev file, or the file that is named")
    func scoring() throws {
        let folder = try TaskFolder(["devset.csv": Self.rows([("A", "dev")])])
        #expect(try E2EFiles(scoringIn: folder.url).scoring.map(\.text) == ["dev"])
        try folder.write(
            [UInt8](Self.rows([("A", "test")]).utf8), to: "testset_w_refs.csv")
        #expect(try E2EFiles(scoringIn: folder.url).scoring.map(\.text) == ["test"])
        let dev = folder.url.appendingPathComponent("devset.csv")
        #expect(try E2EFiles(scoringIn: dev).scoring.map(\.text) == ["dev"])
    }

    static let faults: [(String, String)] = [
        ("mr,text\nname[A],a\n", ":1: the header has no column 'ref'; it has 'mr,text'."),
        ("mr,ref\nname[A],\n", ":2: column 'ref' is empty; it should hold a sentence."),
        (
            "mr,ref\nname[A],a\nname A,a\n",
            ":3: 'name A' is no meaning representation; "
                + "it should be like 'name[The Vaults], eatType[pub]'."
        ),
        (
            "mr,ref\nname[A], area[b],a\n",
            ":2: the row has 3 fields; it should have 2, separated by commas: mr,ref; "
                + "a field with a comma in it stands in double quotes."
        ),
        (
            "mr,ref\nname[A],a\nname[A],b\n",
            ": all texts have one meaning; there should be two at least, "
                + "one to train on and one to score on."
        ),
    ]

    @Test("A fault names file, line, fault and remedy", arguments: faults)
    func fault(_ text: String, _ expected: String) throws {
        let folder = try TaskFolder(["devset.csv": text])
        let found = message(in: folder) { _ = try E2EFiles(trainingIn: folder.url) }
        #expect(found == "DIR/devset.csv\(expected)")
    }

    @Test("A folder without the files says which are missing")
    func missing() throws {
        let folder = try TaskFolder()
        let found = message(in: folder) { _ = try E2EFiles(trainingIn: folder.url) }
        #expect(
            found == "DIR: the folder has no 'devset.csv'; "
                + "give the folder that holds the task's files.")
    }
}
