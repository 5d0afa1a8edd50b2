import ArgumentParser
import FineTuning
import Foundation

struct MergeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge", abstract: "Add an adapter to its model's weights for good.",
        discussion: """
            The folder that is written opens in transformers like any other model. Its weights have the
            type that the model's have; what that type loses of a small change is told.

            Example:
              duallora merge --model MiniLM --adapter out --output merged
              duallora merge --model gpt2 --adapter one --adapter two \\
                --adapter-weights 0.7,0.3 --output both
              duallora merge --model SmolLM2.gguf --adapter out --output merged.gguf \\
                --format gguf --type q8_0
            """)

    @Option(
        help: "The model that the adapter was trained on: a folder or org/name.",
        completion: .directory)
    var model: String

    @OptionGroup var source: SourceArguments

    @OptionGroup var adapters: AdapterArguments

    @Option(help: "Folder for the merged model.", completion: .directory)
    var output: String

    @Option(
        help: "Type of the merged model's weights; float32 loses nothing. Default: the model's own."
    )
    var dtype: DType?

    @Option(
        help: "safetensors, a folder that transformers opens, or gguf, a file that llama.cpp opens."
    )
    var format = ModelFormat.safetensors

    @Option(
        help: "With --format gguf: the type of the matrices, one of \(GGUFTypeArgument.names).")
    var type: GGUFTypeArgument?

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

    @OptionGroup(title: "Computing") var weights: WeightOptions

    @Flag(help: "Print the result as JSON.")
    var json = false

    func run() throws {
        try compute.apply()
        guard !adapters.folders.isEmpty else {
            throw CommandError("--adapter: name the folder of the adapter")
        }
        guard dtype != .float64 else {
            throw CommandError("--dtype: a merged model is float32 or bfloat16, not float64")
        }
        var run = MergeRun(
            model: try source.model(model).url, adapters: try adapters.sources,
            output: folder(output))
        (run.dtype, run.verify) = (dtype, verify)
        run.overwrite = overwrite
        run.quantization = weights.quantize
        guard format != .gguf || dtype == nil else {
            throw CommandError("--dtype: does not go with --format gguf; name a --type")
        }
        run.gguf = try format.type(type, of: MergeRun.ggufTypes, standard: .f16)
        let result = try run.run()
        for text in result.notes { note("note: \(text)") }
        if let warning = result.warning { note("warning: \(warning)") }
        if json {
            try printJSON([
                "output": output, "tensors": result.tensors,
                "largest_difference": jsonNumber(result.difference?.found),
                "dtype": result.typeName, "lost": jsonNumber(result.lostShare),
                "layers": result.losses.map {
                    [
                        "name": $0.path, "norm": $0.norm, "error": $0.error,
                        "lost": jsonNumber($0.share),
                    ] as [String: Any]
                },
            ])
            return
        }
        let check = result.difference.map {
            String(format: "; outputs differ from the adapted model's by at most %.1e", $0.found)
        }
        print("\(output): \(result.tensors) tensors\(check ?? ", not verified")")
        let worst = result.worst.map { "; the most at \($0.path): \(percentage($0.share))" }
        let isNoticeable = result.lostShare >= Self.leastShare
        print(
            "\(result.typeName) loses \(percentage(result.lostShare)) of the change"
                + (isNoticeable ? worst ?? "" : ""))
    }

    /// What is too little to be told in numbers.
    private static let leastShare = 1e-4

    private func percentage(_ share: Double) -> String {
        share > 0 && share < Self.leastShare
            ? "less than 0.01 %" : String(format: "%.2f %%", 100 * share)
    }
}
