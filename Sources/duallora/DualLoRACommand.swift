import ArgumentParser
import DualLoRA

/// The command line of the package.
@main
struct DualLoRACommand: ParsableCommand {
    static let configuration = CommandConfiguration(
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
            ConvertCommand.self, PretrainCommand.self, InspectCommand.self, ForwardCommand.self,
            TokenizeCommand.self, ScoreCommand.self,
            MethodsCommand.self, BenchCommand.self, DemoCommand.self,
        ])

    static func main() {
        do {
            main(try MethodFlags.spelledOut(Array(CommandLine.arguments.dropFirst())))
        } catch {
            exit(withError: error)
        }
    }
}
