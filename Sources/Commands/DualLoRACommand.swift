import ArgumentParser
import DualTorch
import FineTuning
import Foundation

/// The command line of the package.
public struct DualLoRACommand: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "duallora",
        abstract: "Fine-tune transformer language models with Dual LoRA and its peers.",
        discussion: """
            Example:
              duallora train --model MiniLM --task stsb --data glue/STS-B --method dual-lora --output out
              duallora merge --model MiniLM --adapter out --output merged
            """,
        version: packageVersion,
        subcommands: [
            TrainCommand.self, EvaluateCommand.self, GenerateCommand.self, MergeCommand.self,
            ConvertCommand.self, PretrainCommand.self, InspectCommand.self,
            InspectDataCommand.self, ForwardCommand.self, TokenizeCommand.self,
            ScoreCommand.self,
            ChatTemplateCommand.self,
            MethodsCommand.self, BenchCommand.self, DemoCommand.self,
        ])

    public init() {}

    public static func main() {
        ForkServer.run(Array(ProcessArguments.all.dropFirst())) { run($0) }
    }

    private static func run(_ words: [String]) {
        Interrupt.listen()
        StandardOutput.checkAtExit()
        var call: CommandCall?
        do {
            call = try CommandCall(words)
            if let help = try HelpText(askedBy: words, call) { return print(help.text()) }
            let arguments = try call?.arguments() ?? words
            var command = try parseAsRoot(arguments)
            try TrainWords.$current.withValue(call?.train) { try command.run() }
        } catch let error as TrainingError where Interrupt.happened && error.isInterruption {
            note("\(error)")
            exit(withError: Interrupt.exitCode)
        } catch {
            end(with: error, of: call, words: words)
        }
    }

    /// Ends the process as an error asks, which may be a request of the parser's: for its version.
    private static func end(with error: any Error, of call: CommandCall?, words: [String]) -> Never
    {
        let spelled = OptionSpelling.flags(in: call?.explained(error) ?? error)
        let placed = call?.train?.placed(spelled) ?? spelled
        let code = exitCode(for: placed)
        guard !code.isSuccess else { exit(withError: placed) }
        let text = message(for: placed)
        if !text.isEmpty {
            StandardError.write("Error: \(FailureText.line(text, quoting: words))\n")
        }
        Foundation.exit(code.rawValue)
    }
}

extension TrainingError {
    /// Whether a run was stopped from outside, and ended as it should.
    fileprivate var isInterruption: Bool {
        switch self {
        case .interrupted, .interruptedScore: true
        default: false
        }
    }
}
