import DualNames
import DualTorch
import Foundation
import Testing

@testable import DualRecipes

@Suite struct RecipeTests {
    private func recipe(_ texts: [String], _ words: [String] = []) throws -> Recipe {
        var recipe = Recipe()
        for (index, text) in texts.enumerated() {
            recipe.add(try RecipeFile(text, path: "\(index).yaml", keys: testKeys))
        }
        recipe.add(FlagWords(words, keys: testKeys).flags)
        return recipe
    }

    @Test("Later recipes override earlier ones, and flags all; lists are replaced")
    func layers() throws {
        let found = try recipe(
            [
                "model: a\ndata: [x, y]\nepochs: 3\nrank: 8\npacking: true",
                "data: [z]\nepochs: 5\nrank: null",
            ], ["--model", "b", "--packing=false"])
        #expect(found.arguments == ["--model=b", "--data=z", "--epochs=5"])
        #expect(found.files == ["0.yaml", "1.yaml"])
        #expect(found["data"]?.place?.description == "1.yaml:1: data")
        #expect(found["model"]?.place == nil)
        #expect(found["epochs"]?.layer == 1)
        #expect(found["rank"] == nil)
        #expect(
            try recipe(["data: [x, y]"], ["--data", "p", "q"]).arguments == [
                "--data=p", "--data=q",
            ])
        #expect(try recipe(["data: [x, y]", "data: []"]).arguments == [])
    }

    @Test("An error's text is placed by the flag that it names")
    func places() throws {
        let found = try recipe(["model: a\nlearning_rate: x"], ["--model", "b"])
        let text = "The value 'x' is invalid for '--learning-rate <learning-rate>'"
        #expect(found.place(namedIn: text)?.description == "0.yaml:2: learning_rate")
        #expect(found.place(namedIn: "--model: no; --learning-rate") != nil)
        #expect(found.place(namedIn: "--model: no") == nil)
        #expect(found.place(namedIn: "no flag") == nil)
    }

    @Test("Words of a command line are told apart as the parser does")
    func words() {
        let read = FlagWords(
            [
                "base.yaml", "--model", "m", "--data", "a", "b", "--packing", "more.yaml",
                "--learning-rate", "-1", "--rank=4", "--rank", "8", "--data=c", "d",
            ], keys: testKeys)
        #expect(
            read.flags.map { "\($0.key.name) \($0.values.joined(separator: " "))" } == [
                "model m", "data a b c d", "packing true", "learning-rate -1", "rank 8",
            ])
        #expect(read.others == ["base.yaml", "more.yaml"])
        #expect(read.strange == [])
        let odd = FlagWords(
            ["--model", "--packing=3", "--nothing", "5", "-h", "--data", "--epochs"], keys: testKeys
        )
        #expect(
            odd.strange == [
                .noValue("--model", next: "--packing=3"), .notBoolean("--packing=3"),
                .unknown("--nothing"), .unknown("-h"), .noValue("--data", next: "--epochs"),
                .noValue("--epochs"),
            ])
        #expect(odd.flags.isEmpty && odd.others == ["5"])
    }

    @Test("Underscores in a flag's name are dashes; behind -- there are no flags")
    func spelling() {
        let read = FlagWords(
            ["--learning_rate=1", "--gradient_accumulation", "2", "--", "--rank", "3"],
            keys: testKeys)
        #expect(
            read.spelled == [
                "--learning-rate=1", "--gradient-accumulation", "2", "--", "--rank", "3",
            ])
        #expect(read.flags.map(\.key.name) == ["learning-rate", "gradient-accumulation"])
        #expect(read.others == ["--rank", "3"] && read.strange.isEmpty)
    }

    @Test("What is written reads back as the same")
    func writing() throws {
        let values = [
            "model": ["org/base"], "task": ["stsb"], "data": ["glue/STS-B"], "packing": ["true"],
            "method": ["dual-lora"], "targets": ["q_proj,v_proj"], "rank": ["16"],
            "learning-rate": ["0.0001"],
        ]
        let text = RecipeText(testKeys).text(values, comment: ["A note."])
        #expect(
            text == """
                # A note.
                model: org/base
                data:
                  task: stsb
                  path: glue/STS-B
                  packing: true
                method:
                  name: dual-lora
                  targets: "q_proj,v_proj"
                  rank: 16
                training:
                  learning-rate: 0.0001

                """)
        #expect(try settings(text) == values)
    }

    @Test("Any text survives being written and read")
    func anyText() throws {
        let letters = Array("ab:#-,[]{}&*!|>'\"%@`?~\\ \t\n\u{1}é😀=/.0")
        let fixed = [
            "", "null", "NULL", "~", "-", "---", "...", "true", "1e-4", "-1", " a ", "a: b", "a #b",
        ]
        var random = SplitMix64(seed: 1)
        let drawn = (0..<2_000).map { _ in
            let length = Int.random(in: 1...8, using: &random)
            return String((0..<length).compactMap { _ in letters.randomElement(using: &random) })
        }
        for text in fixed + drawn {
            let values = ["output": [text], "data": [text, "x"]]
            #expect(
                try settings(RecipeText(testKeys).text(values)) == values,
                "\(text.debugDescription)")
        }
    }

    @Test("A name's nearest is one of few slips, a part, or the initials")
    func nearest() {
        let names = ["learning-rate", "epochs", "batch-size", "gradient-accumulation", "seed"]
        for (unknown, expected) in [
            ("lerning-rate", "learning-rate"), ("lr", "learning-rate"), ("epohcs", "epochs"),
            ("num_train_epochs", "epochs"), ("per_device_train_batch_size", "batch-size"),
            ("accumulation", "gradient-accumulation"), ("sead", "seed"), ("colour", nil),
        ] {
            #expect(NearestName.of(unknown, among: names) == expected, "\(unknown)")
        }
        #expect(NearestName.distance("abcd", "acbd") == 1)
        #expect(NearestName.distance("", "abc") == 3)
        #expect(NearestName.distance("kitten", "sitting") == 3)
    }
}
