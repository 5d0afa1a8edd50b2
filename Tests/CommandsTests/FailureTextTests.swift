import Testing

@testable import DualCommands

@Suite struct FailureTextTests {
    @Test("What is quoted is one line, whatever it holds")
    func oneLine() {
        let word = "a\nb\u{1B}[31m\t\u{202E}"
        let line = FailureText.line("'\(word)' is no number", quoting: [word])
        #expect(line == #"'a\nb\u{1B}[31m\t\u{202E}' is no number"#)
    }

    @Test("A long word is shortened, alone or behind an equals sign; a path is not")
    func long() {
        let word = String(repeating: "x", count: 70_000)
        let short = String(repeating: "x", count: 57) + "..."
        #expect(FailureText.line("'\(word)' is odd", quoting: [word]) == "'\(short)' is odd")
        #expect(
            FailureText.line("'\(word)' is odd", quoting: ["--seed=\(word)"])
                == "'\(short)' is odd")
        let path = String(repeating: "folder/", count: 40)
        #expect(FailureText.line("\(path): no", quoting: [path]) == "\(path): no")
        #expect(FailureText.line(word, quoting: []).count == 4_000)
    }
}
