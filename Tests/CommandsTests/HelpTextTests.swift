import ArgumentParser
import FineTuning
import Testing

@testable import DualCommands

/// The help of the commands.
@Suite struct HelpTextTests {
    private static let commands = DualLoRACommand.configuration.subcommands.compactMap {
        $0.configuration.commandName
    }

    /// The help of every command.
    private static let texts: [String: String] = {
        let texts = commands.map { command in
            let words = [command, "-h"]
            return (try? HelpText(askedBy: words, CommandCall(words)))??.text(columns: 100) ?? ""
        }
        return Dictionary(uniqueKeysWithValues: zip(commands, texts))
    }()

    private func help(_ words: [String]) throws -> HelpText {
        try #require(try HelpText(askedBy: words, CommandCall(words)))
    }

    @Test(
        "Text is wrapped once, and examples stay as they are", arguments: commands, [50, 80, 133])
    func width(_ command: String, _ columns: Int) throws {
        let lines = try help([command, "--help"]).text(columns: columns).split(separator: "\n")
        let type = try #require(
            DualLoRACommand.configuration.subcommands.first {
                $0.configuration.commandName == command
            })
        let examples = type.configuration.discussion.split(separator: "\n").filter {
            $0.hasPrefix("  ")
        }
        #expect(!examples.isEmpty)
        for example in examples { #expect(lines.contains(example), "\(example)") }
        for line in lines where !examples.contains(line) {
            #expect(line.count <= columns, "\(line)")
        }
        // A line of prose that the next word would fit in was broken before.
        let prose = lines.prefix { !$0.hasPrefix("Example:") }.dropFirst()
        for (line, next) in zip(prose, prose.dropFirst()) where line.last != "." {
            let word = next.prefix { $0 != " " }
            #expect(line.count + 1 + word.count > columns, "\(line)")
        }
    }

    @Test(
        "The help of train with a method has the method's own flags", arguments: ["train", "bench"])
    func methods(_ command: String) throws {
        let text = try help([command, "--method", "vera", "-h"]).text(columns: 100)
        let options = try MethodRegistry.method(named: "vera").options
        #expect(options.allSatisfy { text.contains("\n  --\($0.name) <value>") })
        #expect(!text.contains("--method-option") && !text.contains("--gate-steps"))
        #expect(throws: (any Error).self) { try help([command, "--method", "varo", "--help"]) }
    }

    @Test(
        "Help is asked for in many ways",
        arguments: [
            ["help", "merge"], ["merge", "-h"], ["merge", "--help"],
            ["merge", "--modle", "--help"],
            ["merge", "--model", "m", "--help"],
        ])
    func ways(_ words: [String]) throws {
        #expect(
            try HelpText(askedBy: words, CommandCall(words))?.text(columns: 80).contains(
                "USAGE: duallora merge") == true)
    }

    @Test(
        "The help of the program has every command", arguments: [[], ["help"], ["-h"], ["--help"]])
    func program(_ words: [String]) throws {
        let text = try help(words).text(columns: 80)
        #expect(Self.commands.allSatisfy { text.contains("\n  \($0) ") })
    }

    @Test("Words that are a flag's value ask for no help")
    func values() throws {
        let words = ["generate", "--model", "m", "--stop", "--help"]
        #expect(try HelpText(askedBy: words, CommandCall(words)) == nil)
    }

    /// Flags that only some commands have, and who has them.
    @Test(
        "A command has only the flags that it uses",
        arguments: [
            (
                "--device <",
                ["train", "evaluate", "generate", "pretrain", "forward", "bench", "demo"]
            ),
            (
                "--dtype <",
                [
                    "train", "evaluate", "generate", "merge", "pretrain", "forward", "bench",
                    "demo",
                ]
            ),
            ("--dev-data <", ["train", "pretrain", "inspect-data"]),
            ("--dev-share <", ["train", "pretrain", "inspect-data"]),
            ("--allow-no-stop", ["train"]), ("--label-smoothing <", ["train"]),
            ("--e2e-beams <", ["train", "evaluate"]), ("--predictions <", ["train", "evaluate"]),
            ("--protocol <", ["train", "evaluate", "inspect-data"]),
            ("--head-learning-rate <", ["train"]), ("--method-option <", ["train", "bench"]),
        ])
    func owners(_ flag: String, _ owners: [String]) {
        let found = Self.texts.filter { $0.value.contains("\n  " + flag) }.keys
        #expect(found.sorted() == owners.sorted())
    }
}

extension HelpText: Equatable {
    public static func == (a: HelpText, b: HelpText) -> Bool {
        a.text(columns: 80) == b.text(columns: 80)
    }
}
