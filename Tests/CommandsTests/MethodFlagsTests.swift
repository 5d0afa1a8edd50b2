import Testing

@testable import DualCommands

/// How the options of methods, which the parser does not know, reach it.
@Suite struct MethodFlagsTests {
    @Test("An option of a method becomes a method option, whichever way its value is given")
    func spelledOut() throws {
        let words = ["train", "--rank", "8", "--alpha=-1", "--sign_grad", "xnor", "--epochs", "2"]
        #expect(
            try MethodFlags.spelledOut(words) == [
                "train", "--method-option=rank=8", "--method-option=alpha=-1",
                "--method-option=sign_grad=xnor", "--epochs", "2",
            ])
    }

    @Test(
        "What is spelled out already, and what is no option, stays", arguments: ["train", "bench"])
    func unchanged(_ command: String) throws {
        let words = [
            command, "--method-option=rank=8", "--method-option", "alpha=2", "rank", "--", "-r",
        ]
        #expect(try MethodFlags.spelledOut(words) == words)
    }

    @Test("Commands without a method keep their words")
    func otherCommands() throws {
        let words = ["methods", "--rank", "8"]
        #expect(try MethodFlags.spelledOut(words) == words)
        #expect(try MethodFlags.spelledOut([]) == [])
    }

    @Test("An option without its value is refused by its name")
    func noValue() throws {
        let error = #expect(throws: CommandError.self) {
            try MethodFlags.spelledOut(["train", "--rank"])
        }
        #expect(error?.description == "--rank: it has no value")
    }
}
