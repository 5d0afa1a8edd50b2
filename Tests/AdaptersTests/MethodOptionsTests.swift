import DualModels
import DualModules
import DualTorch
import Foundation
import TestSupport
import Testing

@testable import DualAdapters

@Suite struct MethodOptionsTests {
    /// Options that a method refuses, and words of the refusal.
    struct Refusal: Sendable, CustomTestStringConvertible {
        let method: String
        let options: MethodOptions
        let words: [String]
        var testDescription: String { "\(method) \(options): \(words[0])" }

        init(_ method: String, _ options: MethodOptions, _ words: String...) {
            (self.method, self.words, self.options) = (method, words, options)
        }
    }

    static let refusals = [
        Refusal("lora", ["rank": "0"], "`rank`", "0 is not a rank"),
        Refusal("lora", ["rank": "x"], "`rank`", "'x' is not a whole number"),
        Refusal("lora", ["alpha": "0"], "`alpha`", "not greater than 0"),
        Refusal("lora", ["alpha": "inf"], "`alpha`", "inf"),
        Refusal("lora", ["alpha": "nan"], "`alpha`", "nan"),
        Refusal("lora", ["alpha": "much"], "`alpha`", "'much' is not a number"),
        Refusal("lora", ["dropout": "1"], "`dropout`", "1.0 is not a probability"),
        Refusal("lora", ["dropout": "nan"], "`dropout`", "nan"),
        Refusal("lora", ["dropout": "-0.1"], "`dropout`", "-0.1"),
        Refusal("lora", ["magnitude-rank": "4"], "`magnitude-rank`", "no such option"),
        Refusal(
            "lora", ["gate-steps": "4"], "`gate-steps`", "no such option", "it has rank, alpha"),
        Refusal("lora", ["init_std": "4"], "`init-std`", "no such option"),
        Refusal("lora", ["use-rslora": "yes"], "`use-rslora`", "not true or false"),
        Refusal("lora", ["bias": "some"], "`bias`", "none of none, all, lora_only"),
        Refusal("lora", ["rank-pattern": "q_proj"], "`rank-pattern`", "not LAYER=VALUE"),
        Refusal("lora", ["rank-pattern": "q_proj=0"], "`rank-pattern`", "not LAYER=VALUE"),
        Refusal("lora", ["alpha-pattern": "q_proj=inf"], "`alpha-pattern`", "not LAYER=VALUE"),
        Refusal("lora", ["init-weights": "normal"], "`init-weights`", "none of true, gaussian"),
        Refusal("lora", ["lora-bias": "1"], "`lora-bias`", "not true or false"),
        Refusal(
            "lora", ["lora-bias": "true", "init-weights": "gaussian"], "`lora-bias`",
            "'true' alone"),
        Refusal("lora-plus", ["loraplus-lr-ratio": "0"], "`loraplus-lr-ratio`", "greater than 0"),
        Refusal("lora", ["loraplus-lr-ratio": "2"], "`loraplus-lr-ratio`", "no such option"),
        Refusal("dora", ["lora-bias": "true"], "`lora-bias`", "no such option"),
        Refusal("dora", ["rank": "0"], "`rank`", "0 is not a rank"),
        Refusal("hira", ["alpha": "4"], "`alpha`", "no such option"),
        Refusal("lora", ["rank-pattern": "query=x"], "`rank-pattern`", "not LAYER=VALUE"),
        Refusal("hira", ["dropout": "1"], "`dropout`", "probability"),
        Refusal("dual-lora", ["rank": "7"], "`rank`", "7 cannot be halved"),
        Refusal("dual-lora", ["rank": "-2"], "`rank`", "-2 is not a rank"),
        Refusal("dual-lora", ["rank": "8", "magnitude-rank": "4"], "`rank`", "give either it or"),
        Refusal("dual-lora", ["direction-rank": "0"], "`direction-rank`", "0 is not a rank"),
        Refusal("dual-lora", ["alpha": "-1"], "`alpha`", "-1.0"),
        Refusal("dual-lora", ["dropout": "2"], "`dropout`", "probability"),
        Refusal("dual-lora", ["init-std": "0"], "`init-std`", "not greater than 0"),
        Refusal("dual-lora", ["init-std": "nan"], "`init-std`", "nan"),
        Refusal("dual-lora", ["gate-steps": "-1"], "`gate-steps`", "-1 is negative"),
        Refusal("full", ["rank": "8"], "`rank`", "no such option"),
        Refusal("full", ["train": ","], "`train`", "names nothing"),
    ]

    @Test("An option that makes no sense is refused by name", arguments: refusals)
    func refused(_ row: Refusal) throws {
        let text = message { _ = try MethodRegistry.make(row.method, row.options) }
        #expect(text.contains("for \(row.method): "), "in: \(text)")
        for word in row.words { #expect(text.contains(word), "in: \(text)") }
    }

    @Test("A dash and an underscore are one")
    func spelling() throws {
        let made = try MethodRegistry.make("lora", ["use_rslora": "true", "rank": "3"])
        let method = try #require(made as? LoRA)
        #expect(method.rankStabilized && method.rank == 3)
    }

    @Test(
        "A list of numbers has single ones and ranges",
        arguments: [
            ("0", [0]), ("1,3", [1, 3]), ("2-4", [2, 3, 4]), ("0,5-6,9", [0, 5, 6, 9]),
        ])
    func numberLists(_ text: String, _ numbers: [Int]) {
        #expect(NumberList(text)?.numbers == numbers)
    }

    @Test("What is no list of numbers is none", arguments: ["", "a", "3-1", "1-2-3", "-1", "1,,2"])
    func notNumberLists(_ text: String) { #expect(NumberList(text) == nil) }

    // MARK: - Targets

    private func chosen(_ text: String) throws -> [String] {
        try TargetSelection(text).layers(of: Bert.tiny().slots).map(\.path)
    }

    @Test("A target is a layer's path or the end of it, word by word")
    func suffixes() throws {
        let layer = "bert.encoder.layer."
        #expect(try chosen("query") == ["0", "1"].map { layer + "\($0).attention.self.query" })
        #expect(try chosen(layer + "1.attention.self.query") == [layer + "1.attention.self.query"])
        #expect(try chosen("query, value").count == 4)
        #expect(try chosen(" value ,,query ").count == 4)
        #expect(try chosen("attention.output.dense").count == 2)
        #expect(try chosen("output.dense").count == 4)
        #expect(try chosen("dense").count == 7)
        #expect(try chosen("all-linear").count == 13)
        #expect(try chosen("query,self.query").count == 2)
    }

    @Test(
        "A name that matches nothing is refused with the layers that there are",
        arguments: [
            "quer", "uery", "query,keys", "Query", "all-linear,query",
        ])
    func noSuchTarget(_ text: String) throws {
        let found = message { _ = try chosen(text) }
        #expect(found.contains("matches no layer; the layers are "), "in: \(found)")
        #expect(found.contains("query (12 x 12)"))
        #expect(found.contains("intermediate.dense (20 x 12)"))
    }

    @Test(
        "An embedding is chosen by its name, and the head of a task refused as what it is",
        arguments: ["word_embeddings", "query,word_embeddings", "bert.embeddings.word_embeddings"])
    func embeddings(_ text: String) throws {
        let choice = try TargetSelection(text).choice(of: Bert.tiny().slots)
        #expect(choice.embeddings.map(\.path) == ["bert.embeddings.word_embeddings"])
        #expect(choice.linears.count == (text.contains("query") ? 2 : 0))
        #expect(
            message { _ = try chosen("classifier") }
                == "target 'classifier' is the head of the task, which trains whole beside every adapter"
        )
        let found = message {
            _ = try AdapterSet(
                VeRA(rank: 2), targets: TargetSelection(text), of: Bert.tiny().slots,
                using: Generator(seed: 1))
        }
        #expect(found.contains("is an embedding, which vera has no form for"), "in: \(found)")
    }

    @Test("No target at all is refused", arguments: ["", " , "])
    func noTargets(_ text: String) throws {
        #expect(throws: AdapterError.noTargets) { try chosen(text) }
    }

    /// A selection, and the layers that PEFT chooses by it.
    struct Choice: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let targets: TargetSelection
        let chosen: [String]

        init(
            _ description: String, _ rule: TargetSelection.Rule,
            excluded: TargetSelection.Rule? = nil,
            blocks: [Int]? = nil, pattern: [String] = [], _ chosen: [String]
        ) {
            testDescription = description
            var targets = TargetSelection(rule)
            (targets.excluded, targets.blocks, targets.blocksPattern) = (excluded, blocks, pattern)
            self.targets = targets
            self.chosen = chosen
        }
    }

    static let choices = [
        Choice("standard", .standard, ["0.query", "0.value", "1.query", "1.value"]),
        Choice("a block", .names(["query"]), blocks: [1], ["1.query"]),
        Choice(
            "a block by pattern", .names(["query"]), blocks: [1], pattern: ["layer"], ["1.query"]),
        Choice(
            "excluded", .names(["query", "key"]), excluded: .pattern(#".*layer\.0.*key"#),
            ["0.query", "1.query", "1.key"]),
        Choice(
            "a whole path, of which no block is asked",
            .names(["bert.encoder.layer.0.attention.self.query", "key"]), blocks: [1],
            ["0.query", "1.key"]),
        Choice(
            "a whole path of a bare body", .names(["encoder.layer.0.attention.self.query", "key"]),
            blocks: [1], ["0.query", "1.key"]),
        Choice("excluded names", .standard, excluded: .names(["query"]), ["0.value", "1.value"]),
        Choice(
            "regular expression", .pattern(#".*layer\.1\..*(query|key)"#), ["1.query", "1.key"]),
        Choice(
            "regular expression of a bare body", .pattern(#"encoder\.layer\.0\..*value"#),
            ["0.value"]),
    ]

    @Test("Layers are chosen by PEFT's rules", arguments: choices)
    func rules(_ row: Choice) throws {
        let found = try row.targets.layers(of: Bert.tiny().slots).map { layer in
            let words = layer.path.split(separator: ".")
            return "\(words[3]).\(words[words.count - 1])"
        }
        #expect(found == row.chosen)
    }

    @Test(
        "A pattern that Python reads otherwise, or not at all, is refused",
        arguments: [
            "[[:alpha:]]*query", #"\p{L}.*query"#, #"\Qbert\E.*query"#, "(?<rest>.*)query", #".*\"#,
        ])
    func otherDialects(_ pattern: String) throws {
        let slots = try Bert.tiny().slots
        #expect(throws: AdapterError.badPattern(pattern)) {
            try TargetSelection.pattern(pattern).layers(of: slots)
        }
    }

    @Test(
        "A pattern whose time doubles with every letter is given up, and at once",
        arguments: [
            "((.*)*)*!", "(a?b?[a-z_.0-9]*)*!", "(?:.*.*.*.*.*.*.*.*)*!", "(?=((.*)*)*!).*",
            "(.+)+\\1!",
        ])
    func endlessPatterns(_ pattern: String) throws {
        let slots = try Bert.tiny().slots
        let text = message { _ = try TargetSelection.pattern(pattern).layers(of: slots) }
        #expect(text.contains("'\(pattern)' is given up"), "\(text)")
        let pattern = LayerPattern([(key: pattern, value: 3)])
        #expect(throws: AdapterError.self) {
            try pattern.value(for: "bert.encoder.layer.0.attention.self.query")
        }
    }

    @Test(
        "What Python's patterns have is read",
        arguments: [
            "(?P<rest>.*)query", #"bert\.(?P<e>e)ncod(?P=e)r.*query"#, "bert.*(?<!key)(?<=query)",
            "(?i:BERT).*query",
            #"bert\..*?\.\d\..*[.]query"#, "bert.*+|bert.*query", #"\Abert[(\[a-z.0-9]*query\Z"#,
        ])
    func pythonsDialect(_ pattern: String) throws {
        let choice = try TargetSelection.pattern(pattern).choice(of: Bert.tiny().slots)
        #expect(!choice.linears.isEmpty)
    }

    @Test("A selection that leaves no layer, and a pattern that is none, are refused")
    func emptySelections() throws {
        let slots = try Bert.tiny().slots
        var targets = TargetSelection.names(["query"])
        targets.blocks = [7]
        #expect(message { _ = try targets.layers(of: slots) }.contains("query in blocks 7"))
        let pattern = TargetSelection.pattern("(")
        #expect(
            message { _ = try pattern.layers(of: slots) }
                == "'(' is not a regular expression of Python's")
    }

    @Test("The first key that matches the end of a path gives the value")
    func layerPatterns() throws {
        let pattern = LayerPattern([("layer.1.query", 3), ("query", 4), (#"layer\.\d+\.key"#, 5)])
        #expect(try pattern.value(for: "encoder.layer.1.query") == 3)
        #expect(try pattern.value(for: "encoder.layer.0.query") == 4)
        #expect(try pattern.value(for: "encoder.layer.0.subquery") == nil)
        #expect(try pattern.value(for: "encoder.layer.12.key") == 5)
    }
}
