import ArgumentParser
import FineTuning
import Foundation

struct MergeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge", abstract: "Add an adapter to its model's weights for good.",
        discussion: """
            The folder that is written opens in transformers like any other model.

            Example:
              duallora merge --model MiniLM --adapter out --output merged
              duallora merge --model gpt2 --adapter one --adapter two \\
                --adapter-weights 0.7,0.3 --output both
            """)

    @Option(
        help: "The model that the adapter was trained on: a folder or org/name.",
        completion: .directory)
    var model: String

    @OptionGroup var source: SourceArguments

    @OptionGroup var adapters: AdapterArguments

    @Option(help: "Folder for the merged model.", completion: .directory)
    var output: String

    @Flag(
        help: """
            Write into a folder that has files in it: those of a model are replaced, others stay.
            """)
    var overwrite = false

    @Flag(
        inversion: .prefixedNo,
        help: "Compare the outputs of the merged model with those of the adapted one.")
    var verify = true

    @OptionGroup(title: "Computing") var compute: ThreadOptions

    @Flag(help: "Print the result as JSON.")
    var json = false

    func run() throws {
        try compute.apply()
        guard !adapters.folders.isEmpty else {
            throw CommandError("--adapter: name the folder of the adapter")
        }
        var run = MergeRun(
            model: try source.model(model).url, adapters: try adapters.sources,
            output: folder(output))
        run.verify = verify
        run.overwrite = overwrite
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
