import DualDatasets
import DualTorch
import Foundation
import Testing

@Suite struct CommonsenseSetTests {
    private func set(_ name: String) throws -> CommonsenseSet {
        try #require(CommonsenseSet.all.first { $0.name == name })
    }

    @Test("The sets stand in the order of the paper's Table 1")
    func order() {
        let titles = ["BoolQ", "PIQA", "SIQA", "HellaS", "WinoG", "ARC-e", "ARC-c", "OBQA"]
        #expect(CommonsenseSet.all.map(\.title) == titles)
    }

    @Test("The first answer that is named counts, letter by letter, within words too")
    func extraction() throws {
        let cases: [(String, String, String?)] = [
            ("boolq", "the correct answer is true", "true"),
            ("boolq", "untrue, not false", "true"), ("boolq", "True or FALSE", nil),
            ("boolq", "", nil), ("boolq", "tru e fals", nil),
            ("boolq", "tfalsetrue", "false"),
            ("siqa", "answer6 answer5 answer1", "answer5"), ("obqa", "answer 1answer12", "answer1"),
            ("piqa", "solution3solution2", "solution2"),
            ("winogrande", "option1option2", "option1"),
            ("hellaswag", "ending5 ending4", "ending4"), ("arc-easy", "Answer1", nil),
            ("arc-challenge", "the correct answer is answeranswer3", "answer3"),
        ]
        for (name, text, expected) in cases {
            #expect(try set(name).answer(in: text) == expected, "\(name): \(text)")
        }
    }

    @Test(
        "In thousands of made-up texts the answer is the first match of LLM-Adapters' expressions",
        arguments: [
            ("boolq", "true|false"), ("piqa", "solution1|solution2"),
            ("siqa", "answer1|answer2|answer3|answer4|answer5"),
            ("hellaswag", "ending1|ending2|ending3|ending4"), ("winogrande", "option1|option2"),
            ("arc-easy", "answer1|answer2|answer3|answer4|answer5"),
            ("arc-challenge", "answer1|answer2|answer3|answer4|answer5"),
            ("obqa", "answer1|answer2|answer3|answer4|answer5"),
        ])
    func expressions(_ name: String, _ pattern: String) throws {
        let set = try set(name)
        let expression = try NSRegularExpression(pattern: pattern)
        let words = CommonsenseSet.all.flatMap(\.labels)
        let parts =
            words + words.map { String($0.dropLast()) } + words.map { String($0.dropFirst()) }
            + [
                "True", "answer", "6", "0", " ", "\n", "é", "e\u{301}", "😀",
                "the correct answer is ",
            ]
        var (found, random) = (0, SplitMix64(seed: 1))
        for _ in 0..<2000 {
            let text = (0..<Int.random(in: 0...6, using: &random)).map { _ in
                parts.randomElement(using: &random) ?? ""
            }.joined()
            // By code units, as Python matches by code points: an accent behind the match is apart.
            let units = text as NSString
            let match = expression.firstMatch(
                in: text, range: NSRange(location: 0, length: units.length))
            let expected = match.map { units.substring(with: $0.range) }
            #expect(set.answer(in: text) == expected, "\(text)")
            found += expected == nil ? 0 : 1
        }
        #expect(found > 100 && found < 1900)
    }

    @Test("An example's last line says what there is to choose from, and the set where it does not")
    func choices() throws {
        func example(_ lastLine: String) -> CommonsenseExample {
            CommonsenseExample(instruction: "Why?\n\n\(lastLine)", output: "", answer: "answer2")
        }
        let set = try set("arc-easy")
        #expect(
            set.choices(of: example("Answer format: answer1/answer2/answer3"))
                == ["answer1", "answer2", "answer3"])
        for line in ["Answer format: answer1/answer3", "Answer format: answer2/answer9", "answer2"]
        {
            #expect(set.choices(of: example(line)) == set.labels)
        }
    }

    @Test("What LLM-Adapters takes for the response stands behind the last heading")
    func responseBehindHeading() {
        func response(_ text: String) -> String {
            CommonsenseProtocol.response(behindHeadingIn: text)
        }
        #expect(response("a### Response:\n   b  ### Response: \n\t c \n") == "c")
        #expect(response(" no heading ") == "no heading")
    }

    @Test("What HiRA takes for the response ends at the end of the text or a speaker's mark")
    func responseBeforeEnd() {
        func response(_ text: String) -> String {
            CommonsenseProtocol.response(beforeEndIn: text, padding: "<unk>", end: "</s>")
        }
        #expect(response("<unk>a<unk>b</s>c") == "ab")
        #expect(response("aR:b</s>Q:") == "a")
        #expect(response(" whole ") == " whole ")
    }
}

@Suite struct CommonsensePromptTests {
    /// The literals of LLM-Adapters' `finetune.py` and `commonsense_evaluate.py`.
    @Test("LLM-Adapters' prompts have the white space of its source")
    func llmAdapters() {
        let preset = CommonsenseProtocol.llmAdapters
        #expect(
            preset.trainingPrompt("Is it?\n\nSay.") + "yes"
                == """
                Below is an instruction that describes a task. Write a response that \
                appropriately completes the request.  \n
                                ### Instruction:
                                Is it?

                Say.
                                \("")
                                ### Response:
                                yes
                """)
        #expect(
            preset.testPrompt("Is it?\n\nSay.")
                == """
                Below is an instruction that describes a task. Write a response that \
                appropriately completes the request. \n
                                ### Instruction:
                                Is it?

                Say.

                                ### Response:
                                \("")
                """)
    }

    @Test("HiRA's prompt is not indented and the same in training and test")
    func hira() {
        for preset in [CommonsenseProtocol.hira, .likelihood] {
            let prompt = preset.trainingPrompt("Is it?")
            #expect(
                prompt
                    == "Below is an instruction that describes a task. Write a response that "
                    + "appropriately completes the request.  \n\n### Instruction:\nIs it?\n\n"
                    + "### Response:\n")
            #expect(preset.testPrompt("Is it?") == prompt)
            #expect(preset.trainingResponse(" yes\n") == "yes")
        }
        #expect(CommonsenseProtocol.llmAdapters.trainingResponse(" yes\n") == " yes\n")
    }
}
