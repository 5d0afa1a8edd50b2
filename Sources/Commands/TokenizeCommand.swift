import ArgumentParser
import FineTuning
import Foundation

struct TokenizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize", abstract: "Show the tokens of a text, or the text of tokens.",
        discussion: """
            Nothing is cut or padded, whatever the tokenizer's file asks for, unless --max-length is given.

            Example:
              duallora tokenize --model MiniLM "Hello, world!"
              printf '%s\\n' '"Hello"' '"two\\nlines"' | duallora tokenize --model MiniLM --stdin
              duallora tokenize --model GPT2 --decode "15496 995"
              echo '[15496, 995]' | duallora tokenize --model GPT2 --decode --stdin
            """)

    @Option(
        help: "The model or its tokenizer: a folder, a GGUF file or org/name.", completion: .file())
    var model: String

    @OptionGroup var source: SourceArguments

    @Argument(help: "The text, or with --decode the ids.")
    var text: String?

    @Option(help: "A second text, to make a pair.")
    var pair: String?

    @Flag(name: .customLong("no-special"), help: "Leave out the tokens that frame a text.")
    var noSpecial = false

    @Option(name: .customLong("max-length"), help: "Tokens to cut to, the longer text first.")
    var maximumLength: Int?

    @Flag(help: "Turn ids into text.")
    var decode = false

    @Flag(name: .customLong("skip-special"), help: "Leave out special tokens from the text.")
    var skipSpecial = false

    @Flag(help: "Read one JSON string (or array of ids) a line; print one JSON object a line.")
    var stdin = false

    @Flag(help: "Print a JSON object; with --decode it also has the text piece by piece.")
    var json = false

    func validate() throws {
        if (text == nil) != stdin {
            throw ValidationError("give \(decode ? "ids" : "a text"), or --stdin")
        }
        if decode, pair != nil || noSpecial || maximumLength != nil {
            throw ValidationError("--pair, --no-special and --max-length do not go with --decode")
        }
        if skipSpecial, !decode { throw ValidationError("--skip-special goes with --decode") }
    }

    func run() throws {
        let tokenizer = try Tokenizer.load(from: source.tokenizer(model))
        if stdin { return try answerLines(tokenizer) }
        if decode { return show(try parsedIDs(text ?? ""), tokenizer) }
        show(try encode(text ?? "", tokenizer))
    }

    /// Answers each line of standard input with a line.
    private func answerLines(_ tokenizer: Tokenizer) throws {
        let decoder = JSONDecoder()
        var number = 0
        func value<Value: Decodable>(_ line: String, _ kind: String) throws -> Value {
            guard let value = try? decoder.decode(Value.self, from: Data(line.utf8)) else {
                throw CommandError("standard input:\(number): the line is not \(kind)")
            }
            return value
        }
        while let line = readLine() {
            number += 1
            if decode {
                print(object(try value(line, "a JSON array of ids"), tokenizer))
            } else {
                print(object(try encode(value(line, "a JSON string"), tokenizer)))
            }
        }
    }

    private func encode(_ text: String, _ tokenizer: Tokenizer) throws -> Encoding {
        try tokenizer.encode(
            text, pair: pair, addingSpecialTokens: !noSpecial, maximumLength: maximumLength)
    }

    private func show(_ encoding: Encoding) {
        if json {
            print(object(encoding))
        } else {
            print(encoding.ids.map(String.init).joined(separator: " "))
            print(encoding.tokens.joined(separator: " "))
        }
    }

    private func show(_ ids: [Int], _ tokenizer: Tokenizer) {
        if json {
            print(object(ids, tokenizer))
        } else {
            print(tokenizer.decode(ids, skippingSpecialTokens: skipSpecial))
        }
    }

    private func object(_ encoding: Encoding) -> String {
        var line = JSONLine()
        line.set("ids", encoding.ids)
        line.set("tokens", encoding.tokens)
        return line.text
    }

    private func object(_ ids: [Int], _ tokenizer: Tokenizer) -> String {
        var line = JSONLine()
        if json {
            var stream = tokenizer.makeStreamingDecoder(skippingSpecialTokens: skipSpecial)
            line.set("pieces", ids.map { stream.append($0) } + [stream.finish()])
        }
        line.set("text", tokenizer.decode(ids, skippingSpecialTokens: skipSpecial))
        return line.text
    }

    /// Ids with white space or commas between them.
    private func parsedIDs(_ text: String) throws -> [Int] {
        try text.split { $0.isWhitespace || $0 == "," }.map { word in
            guard let id = Int(word) else { throw CommandError("'\(word)' is not an id") }
            return id
        }
    }
}
