import DualTraining
import Testing

@testable import DualCommands

/// How the options that the library names become the command's flags.
@Suite struct OptionSpellingTests {
    @Test(
        "Flags of any subcommand, options of methods and a leading name get their dashes",
        arguments: [
            ("`max-length`: 3 is not from 4", "--max-length: 3 is not from 4"),
            ("give `magnitude-rank` and `beams`", "give --magnitude-rank and --beams"),
            ("`no-such` for lora: no", "--no-such for lora: no"),
            ("with --rank 8", "with --rank 8"),
        ])
    func options(_ text: String, _ spelled: String) {
        #expect(OptionSpelling.flags(in: text) == spelled)
    }

    @Test("What a user wrote in backquotes stays")
    func others() {
        let text = "a.txt:1: there is `no such word` and no `nonsense-word`, nor `Rank`"
        #expect(OptionSpelling.flags(in: text) == text)
    }

    @Test("An error of the library is told with flags, another as it is")
    func errors() {
        let error = TrainingError.badOption(name: "epochs", reason: "0 is too few")
        #expect("\(OptionSpelling.flags(in: error))" == "--epochs: 0 is too few")
        #expect(OptionSpelling.flags(in: CancellationError()) is CancellationError)
    }
}
