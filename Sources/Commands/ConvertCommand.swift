import ArgumentParser
import FineTuning
import Foundation

struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Write an adapter as LoRA, for tools that know LoRA alone.",
        discussion: """
            The change of every layer is cut to its leading singular values; what is lost is told, for
            Dual LoRA's changes have a high rank: a merged model keeps it whole, but for the rounding
            of its weights. For vLLM and others that read PEFT's folders a folder is written; for
            llama.cpp a file, and there a LoRA needs no rank: it is written as it is.

            Example:
              duallora convert --model MiniLM --adapter out --rank 64 --output out-lora
              duallora convert --model SmolLM2.gguf --adapter out --output lora.gguf --format gguf
              llama-cli --model SmolLM2.gguf --lora lora.gguf
            """)

    @Option(
        help: "The model that the adapter was trained on: a folder, a GGUF file or org/name.",
        completion: .directory)
    var model: String

    @OptionGroup var source: SourceArguments

    @Option(
        help: "The adapter, of any method that merges: a folder or org/name.",
        completion: .directory)
    var adapter: String

    @Option(
        parsing: .unconditional,
        help: "Rank of the LoRA. With --format gguf an adapter that is LoRA needs none.")
    var rank: Int?

    @Option(help: "Folder, or GGUF file, for the LoRA.", completion: .directory)
    var output: String

    @Option(help: "safetensors, a folder as PEFT has it, or gguf, a file that llama.cpp opens.")
    var format = ModelFormat.safetensors

    @Option(
        help: "With --format gguf: the type of the numbers, f32, f16 or bf16. Default: f32.")
    var type: GGUFTypeArgument?

    @Flag(
        help: """
            Write into a folder that has files in it: an adapter there is replaced, others stay. \
            With --format gguf: replace the file.
            """)
    var overwrite = false

    @OptionGroup(title: "Computing") var compute: ThreadOptions

    @Flag(help: "Print the result as JSON.")
    var json = false

    func run() throws {
        try compute.apply()
        let base = try source.model(model)
        var run = ConvertRun(
            model: base.url, adapter: try located(adapter, for: .adapter).url,
            output: folder(output), rank: rank)
        run.gguf = try format.type(type, of: ConvertRun.ggufTypes, standard: .f32)
        run.baseName = base.reference?.name
        run.overwrite = overwrite
        let result = try run.run()
        for text in result.notes { note("note: \(text)") }
        if json {
            return try printJSON([
                "output": output, "rank": result.rank, "lost": result.lostShare,
                "lost_output": result.lostOutputShare,
                "layers": result.losses.map {
                    ["name": $0.path, "norm": $0.norm, "error": $0.error, "lost": $0.share]
                        as [String: Any]
                },
            ])
        }
        print(
            textTable(
                ["layer", "norm of the change", "lost"],
                result.losses.map {
                    [
                        $0.path, String(format: "%.4g", $0.norm),
                        String(format: "%.2f %%", 100 * $0.share),
                    ]
                }))
        print(
            String(
                format: "\n%@: LoRA of rank %d; %.2f %% of the change is lost, %.2f %% of the "
                    + "outputs' change",
                output, result.rank, 100 * result.lostShare, 100 * result.lostOutputShare))
    }
}
