import ArgumentParser
import FineTuning
import Foundation

/// A conversation on standard input and output.
struct ChatSession {
    var conversation: Conversation
    /// Prints one JSON object an answer.
    let json: Bool
    /// Whether a person sits at the other end; a script is given answers alone.
    private let isTerminal = isatty(STDIN_FILENO) == 1

    private static let help = "/reset, /system TEXT, /undo, /save FILE, /quit"

    init(_ conversation: Conversation, json: Bool) {
        self.conversation = conversation
        self.json = json
    }

    /// Answers line after line until there is none.
    mutating func run() throws {
        if isTerminal {
            note("A '\\' at the end of a line continues it. Ctrl-C stops an answer. \(Self.help)")
        }
        while let line = question() {
            do {
                if line.hasPrefix("/") {
                    guard try obey(line) else { return }
                } else if !line.allSatisfy(\.isWhitespace) {
                    try answer(line)
                }
            } catch let error where isTerminal && !(error is ExitCode) {
                note("\(error)\(Self.cure(for: error))")
            }
        }
    }

    private static func cure(for error: any Error) -> String {
        if case GenerationError.noRoom = error {
            "; /undo and /reset take messages away"
        } else {
            ""
        }
    }

    /// The next line, with those that it is continued on.
    private func question() -> String? {
        // Not to standard output, which has the answers alone wherever it goes.
        if isTerminal { StandardError.write("> ") }
        guard var line = readLine() else {
            if isTerminal { StandardError.write("\n") }
            return nil
        }
        while line.hasSuffix("\\") {
            line.removeLast()
            guard let more = readLine() else { break }
            line += "\n" + more
        }
        return line
    }

    private mutating func answer(_ question: String) throws {
        // Ctrl-C stops this answer, and ends the process when it comes once more or while a question
        // is waited for.
        Interrupt.watch(
            saying: "stopping the answer at its next token; once more ends the conversation")
        defer { Interrupt.stopWatching() }
        let shows = !json
        let generation = try conversation.ask(
            question, isCancelled: { Interrupt.happened },
            onPiece: { if shows { StandardOutput.write($0) } })
        try show(generation)
        if Interrupt.happened, !isTerminal || Interrupt.wasTermination { throw Interrupt.exitCode }
    }

    /// Ends an answer, or prints it as an object.
    private func show(_ generation: Generation?) throws {
        guard json else { return print("") }
        try printJSON([
            "role": "assistant", "content": conversation.messages.last?.content ?? "",
            "finish": generation?.finish.rawValue ?? "", "tokens": generation?.tokens ?? 0,
            "prompt_tokens": generation?.promptTokens ?? 0,
        ])
        // Who asks through a pipe waits for the answer before the next question.
        fflush(nil)
    }

    /// Does what a line that begins with '/' says.
    /// - Returns: whether the conversation goes on.
    private mutating func obey(_ line: String) throws -> Bool {
        let words = line.split(separator: " ", maxSplits: 1).map(String.init)
        let argument = words.count > 1 ? words[1] : nil
        switch words[0] {
        case "/quit": return false
        case "/reset": conversation.reset()
        case "/undo":
            if !conversation.undo() { throw CommandError("/undo: there is no question yet") }
        case "/system": conversation.setSystem(argument)
        case "/save":
            guard let argument else { throw CommandError("/save: name a file") }
            try save(argument)
        default: throw CommandError("there is no \(words[0]), only \(Self.help)")
        }
        return true
    }

    private func save(_ path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            try encoder.encode(conversation.messages)
                .write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw CommandError("/save: \(path) cannot be written")
        }
    }
}
