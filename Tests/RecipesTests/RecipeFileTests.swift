import DualTorch
import Foundation
import Testing

@testable import DualRecipes

/// Keys of every kind, for recipes of tests.
let testKeys = RecipeKeys(
    [
        RecipeKey("model"), RecipeKey("output"), RecipeKey("task", section: "data"),
        RecipeKey("data", .list, words: .upToDash, section: "data"),
        RecipeKey("packing", .flag, section: "data"), RecipeKey("method", section: "method"),
        RecipeKey("targets", .parts, section: "method"),
        RecipeKey("rank", .parts, words: .any, section: "method"),
        RecipeKey("sign-grad", .parts, words: .any, section: "method"),
        RecipeKey("learning-rate", words: .any, section: "training", standard: "0.001"),
        RecipeKey("gradient-accumulation", words: .any, section: "training", standard: "1"),
        RecipeKey("epochs", words: .any, section: "training", standard: "3"),
    ], heads: ["model", "method", "data"])

/// Reads a recipe's text as settings by name.
func settings(_ text: String) throws -> [String: [String]] {
    Dictionary(
        uniqueKeysWithValues: try RecipeFile(text, path: "r.yaml", keys: testKeys).entries.map {
            ($0.key.name, $0.values)
        })
}

/// The error of a recipe's text.
func refusal(_ text: String) -> String {
    do {
        _ = try RecipeFile(text, path: "r.yaml", keys: testKeys)
        return "no error"
    } catch {
        return "\(error)"
    }
}

@Suite struct RecipeFileTests {
    @Test("Settings may stand flat or in sections, with dashes or underscores")
    func forms() throws {
        let flat = """
            model: org/base
            task: stsb
            data: [glue/STS-B]
            packing: true
            method: dual-lora
            rank: 16
            learning_rate: 1e-4
            """
        let grouped = """
            # What is trained.
            model:
              name: org/base
            data: {task: stsb, path: glue/STS-B, packing: True}
            method:
              name: dual-lora
              rank: 16
            training:
              learning-rate: 1e-4
            """
        let expected = [
            "model": ["org/base"], "task": ["stsb"], "data": ["glue/STS-B"], "packing": ["true"],
            "method": ["dual-lora"], "rank": ["16"], "learning-rate": ["1e-4"],
        ]
        #expect(try settings(flat) == expected)
        #expect(try settings(grouped) == expected)
    }

    @Test(
        "A scalar is taken as it is written",
        arguments: [
            ("1e-4", "1e-4"), ("0.10", "0.10"), ("1_000", "1_000"), ("0x10", "0x10"),
            ("yes", "yes"), ("12:30", "12:30"), ("2001-01-01", "2001-01-01"), ("'~'", "~"),
            ("\"null\"", "null"), ("'it''s'", "it's"), (#""a\tb\u00e9""#, "a\tbé"),
            ("a # note", "a"), ("a#b", "a#b"), ("!!int 7", "7"), (">-\n  a\n  b", "a b"),
        ])
    func scalars(_ written: String, _ read: String) throws {
        #expect(try settings("output: \(written)\n") == ["output": [read]])
    }

    @Test("A list gives a flag's values, or the parts of one; null gives none")
    func lists() throws {
        #expect(
            try settings("data: [a, 'b c']\ntargets: [q_proj, v_proj]") == [
                "data": ["a", "b c"], "targets": ["q_proj,v_proj"],
            ])
        #expect(
            try settings("targets:\n- q_proj\n- v_proj\ndata:\n  - a\n") == [
                "data": ["a"], "targets": ["q_proj,v_proj"],
            ])
        #expect(
            try settings("data: []\nepochs: null\nmodel: ~") == [
                "data": [], "epochs": [], "model": [],
            ])
    }

    @Test("An anchor may be used again")
    func anchors() throws {
        #expect(
            try settings("model: &m base\noutput: *m") == ["model": ["base"], "output": ["base"]])
    }

    /// What is wrong with a recipe, and the whole line that says it.
    static let wrong: [(String, String)] = [
        ("", "r.yaml: it is empty"),
        ("# nothing\n", "r.yaml: it is empty"),
        ("---\n", "r.yaml: it is empty"),
        ("- a\n", "r.yaml:1: it has no 'key: value' lines, as a recipe has"),
        ("Dear reader\n", "r.yaml:1: it has no 'key: value' lines, as a recipe has"),
        (
            "model: a\nlearning-rat: 1",
            "r.yaml:2: 'learning-rat' is no setting of a recipe; did you mean learning-rate?"
        ),
        ("lr: 1", "r.yaml:1: 'lr' is learning-rate here"),
        (
            "gradient_accumulation_steps: 4",
            "r.yaml:1: 'gradient_accumulation_steps' is gradient-accumulation here"
        ),
        ("training:\n  num_train_epochs: 4", "r.yaml:2: 'num_train_epochs' is epochs here"),
        ("use_dora: true", "r.yaml:1: 'use_dora' is method: dora here"),
        (
            "optim: adamw_torch",
            "r.yaml:1: 'optim': the optimizer is AdamW, or what `method` brings with it"
        ),
        // A name whose meaning is none of these keys.
        ("eval_steps: 4", "r.yaml:1: 'eval_steps' is no setting of a recipe"),
        ("Rank: 4", "r.yaml:1: 'Rank' is no setting of a recipe; did you mean rank?"),
        ("quantisation: 4", "r.yaml:1: 'quantisation' is no setting of a recipe"),
        (
            "trainning: {epochs: 1}",
            "r.yaml:1: 'trainning' is no setting of a recipe; did you mean training?"
        ),
        (
            "method:\n  name: lora\n  rnak: 8",
            "r.yaml:3: 'rnak' is no setting of a recipe; did you mean rank?"
        ),
        ("epochs: {most: 3}", "r.yaml:1: epochs: it takes a value, not a section"),
        ("training:\n  more:\n    epochs: 3", "r.yaml:2: more: a section has no sections in it"),
        ("training: 3", "r.yaml:1: 'training' is no setting of a recipe; did you mean training?"),
        ("epochs: [1, 2]", "r.yaml:1: epochs: it takes one value, not a list"),
        ("packing: [true]", "r.yaml:1: packing: it takes true or false, not a list"),
        ("packing: 3", "r.yaml:1: packing: it takes true or false, not '3'"),
        ("targets: []", "r.yaml:1: targets: it is empty"),
        ("data: [a, [b]]", "r.yaml:1: data: a list has neither lists nor sections in it"),
        ("data: [a, null]", "r.yaml:1: data: a list has no null in it"),
        ("model:\nepochs: 3", "r.yaml:1: model: it has no value (null leaves it to the default)"),
        ("epochs: 3\nepochs: 4", "r.yaml:1: epochs: it is set twice"),
        (
            "learning-rate: 3\n\nlearning_rate: 4",
            "r.yaml:3: learning_rate: it is set in line 1 too"
        ),
        ("epochs: 3\ntraining:\n  epochs: 4", "r.yaml:3: epochs: it is set in line 1 too"),
        ("method: lora\nmethod: {name: dora}", "r.yaml:1: method: it is set twice"),
        ("model: a\ntraining:\n\tepochs: 3", "r.yaml:3: a tab indents the line; YAML takes spaces"),
        (
            "model: [a, b",
            "r.yaml:1: not YAML: while parsing a flow sequence, did not find expected ',' or ']'"
        ),
        (
            "model: 'a",
            "r.yaml:1: not YAML: while scanning a quoted scalar, found unexpected end of stream"
        ),
        ("model: *a", "r.yaml:1: not YAML: found undefined alias"),
        ("a: &a [*a]", "r.yaml:1: not YAML: found undefined alias"),
        (
            "model: a\n---\nmodel: b",
            "r.yaml:2: not YAML: expected a single document in the stream, but found another document"
        ),
        ("? [a]\n: b", "r.yaml:1: a key must be a word"),
        ("'': b", "r.yaml:1: a key must be a word"),
        ("<<: {epochs: 3}", "r.yaml:1: '<<' is no setting of a recipe"),
        ("model: a\noutput: \u{1}", "r.yaml:2: not YAML: control characters are not allowed"),
    ]

    @Test("What is wrong is said in one line with its place", arguments: wrong)
    func refusals(_ text: String, _ expected: String) {
        #expect(refusal(text) == expected)
    }

    @Test("A file that unfolds without end is refused in no time")
    func bombs() {
        let words = (0..<10).map { _ in "lol" }.joined(separator: ", ")
        let names = Array("abcdefgh")
        var lines = ["a: &a [\(words)]"]
        for (last, name) in zip(names, names.dropFirst()) {
            let uses = (0..<9).map { _ in "*\(last)" }.joined(separator: ", ")
            lines.append("\(name): &\(name) [\(uses)]")
        }
        #expect(
            refusal(lines.joined(separator: "\n")) == "r.yaml: it has more than 16 aliases (*name)")
        // As many as are allowed, on nodes as many as fit.
        let most = (0..<5_000).map { _ in "x" }.joined(separator: ",")
        var few = ["a: &a [\(most)]"]
        for (last, name) in zip(names.prefix(5), names.dropFirst()) {
            few.append("\(name): &\(name) [*\(last), *\(last), *\(last)]")
        }
        #expect(
            refusal(few.joined(separator: "\n")) == "r.yaml: it unfolds to more than 10000 values")
        few.append("? *f\n: 1")
        let started = ContinuousClock.now
        #expect(refusal(few.joined(separator: "\n")).hasPrefix("r.yaml: it "))
        #expect(ContinuousClock.now - started < .seconds(5))
        #expect(refusal(String(repeating: "[", count: 60_000)).hasPrefix("r.yaml:"))
        #expect(refusal("model: " + String(repeating: "x", count: 70_000)).contains("64 KiB"))
    }

    @Test("Spoiled bytes give an error, and never another end")
    func mutations() throws {
        let good = Array(
            """
            model: {name: "org/b\\u00e4se"} # a note
            data: &d [a, 'b']
            method:
              name: dual-lora
              targets: [q, v]
            training: {learning-rate: 1e-4}
            output: >-
              out
            """.utf8)
        var random = SplitMix64(seed: 1)
        let letters = Array("\t\n :-[]{}&*!|>'\"%@`,?#~\\\u{7F}".utf8) + [0, 0xC3, 0xFF]
        for _ in 0..<3_000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = letters.randomElement(using: &random) ?? 0
                case 1: bytes.remove(at: place)
                default: bytes.insert(letters.randomElement(using: &random) ?? 0, at: place)
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            let said = refusal(text)
            #expect(
                said == "no error" || said.hasPrefix("r.yaml") && !said.contains("\n"), "\(text)")
        }
    }

    @Test("A file that is no recipe says why")
    func files() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("recipe-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func said(_ name: String, _ data: Data?) throws -> String {
            let path = folder.appendingPathComponent(name).path
            try data?.write(to: URL(fileURLWithPath: path))
            do {
                let file = try RecipeFile(path, keys: testKeys)
                return "\(file.entries.count)"
            } catch {
                return "\(error)".replacingOccurrences(of: path, with: name)
            }
        }
        #expect(try said("none.yaml", nil) == "none.yaml: there is no such recipe")
        #expect(try said("empty.yaml", Data()) == "empty.yaml: it is empty")
        #expect(
            try said("bytes.yaml", Data([0x6D, 0xFF])) == "bytes.yaml: it is not text in UTF-8")
        #expect(try said("good.yaml", Data("\u{FEFF}epochs: 3\r\nmodel: a\r\n".utf8)) == "2")
        #expect(try said("", nil) == ": it is a folder, not a recipe")
    }
}
