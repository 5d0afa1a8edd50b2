import ArgumentParser
import DualTorch
import FineTuning

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
        let words = ForkServer.arguments(Array(ProcessArguments.all.dropFirst()))
        Interrupt.listen()
        StandardOutput.checkAtExit()
        var train: TrainWords?
        do {
            guard words.first == TrainWords.command else {
                var command = try parseAsRoot(try MethodFlags.spelledOut(words))
                return try command.run()
            }
            let made = try TrainWords(Array(words.dropFirst()))
            train = made
            var command = try parseAsRoot(made.arguments)
            try TrainWords.$current.withValue(made) { try command.run() }
        } catch let error as TrainingError where Interrupt.happened && error.isInterruption {
            note("\(error)")
            exit(withError: Interrupt.exitCode)
        } catch {
            let spelled = OptionSpelling.flags(in: error)
            exit(withError: train?.placed(spelled) ?? spelled)
        }
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
