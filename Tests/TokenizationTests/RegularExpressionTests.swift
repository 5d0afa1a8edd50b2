import Testing

@testable import DualTokenization

@Suite struct RegularExpressionTests {
    /// The matches of a pattern, spelled out.
    private func matches(_ pattern: String, in text: String) throws -> [String] {
        let scalars = Array(text.unicodeScalars)
        return try RegularExpression(pattern).matches(in: text).map {
            String(scalars: scalars[$0])
        }
    }

    @Test(
        "Repetitions take as much, as little, or as unyieldingly as they say",
        arguments: [
            ("a+", "aaab", ["aaa"]), ("a+?", "aa", ["a", "a"]), ("a{2,3}", "aaaaa", ["aaa", "aa"]),
            ("a{2}?", "aaa", ["aa", ""]), ("a++b", "aab", ["aab"]), ("a++a", "aaa", []),
            ("(?>a|ab)c", "abc", []), ("a{,2}b", "aaab", ["aab"]), ("x{", "x{", ["x{"]),
        ])
    func repetitions(_ pattern: String, _ text: String, _ wanted: [String]) throws {
        #expect(try matches(pattern, in: text) == wanted)
    }

    @Test("The first alternative that leads to a match wins")
    func alternatives() throws {
        #expect(try matches("a|ab", in: "ab") == ["a"])
        #expect(try matches("(?:a|ab)c", in: "abc") == ["abc"])
        let many = (0..<100).map { "x\($0);" }.joined(separator: "|")
        #expect(try matches(many, in: "x99;x0;x63;x64;") == ["x99;", "x0;", "x63;", "x64;"])
    }

    @Test("Classes nest, intersect and negate")
    func classes() throws {
        #expect(try matches("[a-z&&[^aeiou]]+", in: "hello") == ["h", "ll"])
        #expect(try matches("[^a-c]", in: "ad") == ["d"])
        #expect(try matches(#"[\]a-]+"#, in: "]-b") == ["]-"])
        #expect(try matches("[[:digit:][:upper:]]+", in: "aB1c") == ["B1"])
    }

    @Test("Properties are Unicode's")
    func properties() throws {
        #expect(try matches(#"\p{Lu}\p{Ll}+"#, in: "Ärger éÉ") == ["Ärger"])
        #expect(try matches(#"\p{Han}+"#, in: "a中文b") == ["中文"])
        #expect(try matches(#"\P{L}+"#, in: "a1 b") == ["1 "])
        #expect(try matches(#"\w+"#, in: "x² y") == ["x²", "y"])
        #expect(try matches(#"[\w]+"#, in: "x² y") == ["x", "y"])
    }

    @Test("Looking around takes nothing and sees all of the text")
    func lookAround() throws {
        #expect(try matches(#"\s+(?!\S)|\s+"#, in: "a   b ") == ["  ", " ", " "])
        #expect(try matches("(?<=a|bc)d", in: "ad bcd cd") == ["d", "d"])
        #expect(try matches("(?<!a)b", in: "ab b") == ["b"])
        #expect(try matches(#"\bb"#, in: "ab b") == ["b"])
        #expect(try matches("(?m:^.)$", in: "a\nb") == ["a", "b"])
    }

    @Test(
        "What could be taken apart in countless ways is answered in few steps",
        arguments: [
            "(?<=(?:a|aa|.){1,60}c)a", "(?<=(?:.{1,3}?.{1,3}?){2,30}c)a", "(?=(?:a+?a+?)+c)a",
            "(?:(?:a|aa)+?)+?c",
        ])
    func countlessWays(_ pattern: String) throws {
        let text = String(repeating: "a", count: 61)
        #expect(try RegularExpression(pattern).matches(in: text, steps: 2_000_000).isEmpty)
    }

    @Test("A pattern that takes more steps than the text grants is refused by name")
    func costlyPatterns() throws {
        let text = String(repeating: "a", count: 100)
        let expression = try RegularExpression("a+b")
        #expect(try expression.matches(in: text, steps: 20_000).isEmpty)
        let error = #expect(throws: RegexError.self) {
            try expression.matches(in: text, steps: 5_000)
        }
        #expect(
            TokenizerError.costlyPattern(reason: error?.reason ?? "").description
                == "The tokenizer cannot be used on this text: the pattern 'a+b' takes more than "
                + "5000 steps on a text of 100 characters.")
    }

    @Test("Case may be ignored, letters that look like others included")
    func caseFolding() throws {
        #expect(try matches("(?i:'s|'t)", in: "'S 'ſ 't") == ["'S", "'ſ", "'t"])
        #expect(try matches("a(?i)b|c", in: "aB C aC") == ["aB", "aC"])
        #expect(try matches("(?i:[k])", in: "K\u{212A}") == ["K", "\u{212A}"])
    }

    @Test("An empty match does not touch the match before it")
    func emptyMatches() throws {
        #expect(try RegularExpression("a*").matches(in: "baac") == [0..<0, 1..<3, 4..<4])
    }

    @Test(
        "No pattern takes exponential time, and a long run of one character no quadratic one",
        arguments: [
            "(?:a|aa)+b", "(?:(?:a|b)*c|(?:a|ab)*d)e", "(?:a+)+b", #"\s*[\r\n]|a+(?!a)x"#,
            "(?=(?:a|aa)+b)a", "[a-z]*[a-y]*[a-x]*b",
        ])
    func slowPatterns(_ pattern: String) throws {
        let text = String(repeating: "a", count: 2000)
        let clock = ContinuousClock()
        let time = try clock.measure { _ = try matches(pattern, in: text) }
        #expect(time < .seconds(10))
    }

    @Test("A million of one character is matched at once")
    func longRuns() throws {
        let spaces = String(repeating: " ", count: 1_000_000)
        let pattern = ByteLevelPreTokenizer.gpt2Pattern
        #expect(try RegularExpression(pattern).matches(in: spaces + "a").count == 2)
        #expect(try RegularExpression("(?:a|b)+").matches(in: spaces).isEmpty)
        #expect(try RegularExpression(#"(?: |\t)+$"#).matches(in: spaces).count == 1)
    }

    @Test(
        "What is not supported is refused by name",
        arguments: [
            (#"(a)\1"#, #"'\1' is not supported"#),
            ("(?~a)", "the group '(?~' is not supported"),
            ("(?:a*)*", "a repetition without limit of what can match nothing is not supported"),
            ("(?<=a+)b", "a look-behind without limit is not supported"),
            (#"\p{Emoji}"#, "the property 'Emoji' is not supported"),
            ("(?i:ss)", "(?i) over 'ss', which also matches a single letter, is not supported"),
            ("[a", "a '[' has no ']'"), ("(a", "a '(' has no ')'"), ("a)", "a ')' has no '('"),
            ("*a", "'*' has nothing to repeat"), ("(?:(?:ab){1000}){1000}", "it is too large"),
            ("[z-a]", "a range in a class has no valid end"), (#"a\"#, "it ends in a backslash"),
        ])
    func refusals(_ pattern: String, _ reason: String) {
        #expect(throws: RegexError(reason: reason)) { try RegularExpression(pattern) }
    }

    @Test("Deep nesting is refused and does not exhaust the stack")
    func deepNesting() {
        for (open, close) in [("(", ")"), ("[", "]"), ("(?=", ")")] {
            let pattern =
                String(repeating: open, count: 100_000) + "a"
                + String(repeating: close, count: 100_000)
            #expect(throws: RegexError.self) { try RegularExpression(pattern) }
        }
    }
}
