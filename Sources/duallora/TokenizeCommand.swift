import ArgumentParser
import DualLoRA
import Foundation

struct TokenizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize", abstract: "Show the tokens of a text.",
        discussion: """
            Nothing is cut or padded, whatever the tokenizer's file asks for, unless --max-length is given.

            Example:
              duallora tokenize --model MiniLM "Hello, world!"
              printf '%s\\n' '"Hello"' '"two\\nlines"' | duallora tokenize --model MiniLM --stdin
            """)

    @Option(help: "Folder of the model or of its tokenizer.")
    var model: String

    @Argument(help: "The text.")
    var text: String?

    @Option(help: "A second text, to make a pair.")
    var pair: String?

    @Flag(name: .customLong("no-special"), help: "Leave out the tokens that frame a text.")
    var noSpecial = false

    @Option(name: .customLong("max-length"), help: "Tokens to cut to, the longer text first.")
    var maximumLength: Int?

    @Flag(help: "Read one JSON string a line; print one JSON object a line.")
    var stdin = false

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        if (text == nil) != stdin { throw ValidationError("give a text, or --stdin") }
    }

    func run() throws {
        let tokenizer = try Tokenizer.load(from: folder(model))
        guard stdin else { return try show(encode(text ?? "", tokenizer), json: json) }
        var number = 0
        while let line = readLine() {
            number += 1
            guard let text = try? JSONDecoder().decode(String.self, from: Data(line.utf8)) else {
                throw CommandError("standard input:\(number): the line is not a JSON string")
            }
            try show(encode(text, tokenizer), json: true)
        }
    }

    private func encode(_ text: String, _ tokenizer: Tokenizer) throws -> Encoding {
        try tokenizer.encode(
            text, pair: pair, addingSpecialTokens: !noSpecial, maximumLength: maximumLength)
    }

    private func show(_ encoding: Encoding, json: Bool) throws {
        if json {
            try printJSON(["ids": encoding.ids, "tokens": encoding.tokens])
        } else {
            print(encoding.ids.map(String.init).joined(separator: " "))
            print(encoding.tokens.joined(separator: " "))
        }
    }
}
