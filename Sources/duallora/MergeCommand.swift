import ArgumentParser
import DualLoRA
import Foundation

struct MergeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge", abstract: "Add an adapter to its model's weights for good.",
        discussion: """
            The folder that is written opens in transformers like any other model.

            Example:
              duallora merge --model MiniLM --adapter out --output merged
            """)

    @Option(help: "Folder of the model that the adapter was trained on.")
    var model: String

    @Option(help: "Folder of the adapter.")
    var adapter: String

    @Option(help: "Folder for the merged model.")
    var output: String

    @Flag(
        inversion: .prefixedNo,
        help: "Compare the outputs of the merged model with those of the adapted one.")
    var verify = true

    @OptionGroup(title: "Computing") var compute: ComputeOptions

    @Flag(help: "Print the result as JSON.")
    var json = false

    func run() throws {
        _ = try compute.apply()
        var run = MergeRun(model: folder(model), adapter: folder(adapter), output: folder(output))
        run.verify = verify
        let result = try run.run()
        for text in result.notes { note("note: \(text)") }
        if json {
            try printJSON([
                "output": output, "tensors": result.tensors,
                "largest_difference": jsonNumber(result.difference?.found),
            ])
            return
        }
        let check = result.difference.map {
            String(format: "; outputs differ from the adapted model's by at most %.1e", $0.found)
        }
        print("\(output): \(result.tensors) tensors\(check ?? ", not verified")")
    }
}
