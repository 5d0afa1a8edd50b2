import ArgumentParser
import FineTuning
import Foundation

struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert", abstract: "Write an adapter as the best LoRA of a rank.",
        discussion: """
            For tools that know LoRA alone, such as vLLM and llama.cpp. The change of every layer is cut
            to its leading singular values; what is lost is told, for Dual LoRA's changes have a high
            rank: a merged model keeps it whole, but for the rounding of its weights.

            Example:
              duallora convert --model MiniLM --adapter out --rank 64 --output out-lora
            """)

    @Option(
        help: "The model that the adapter was trained on: a folder or org/name.",
        completion: .directory)
    var model: String

    @OptionGroup var source: SourceArguments

    @Option(
        help: "The adapter, of any method that merges: a folder or org/name.",
        completion: .directory)
    var adapter: String

    @Option(parsing: .unconditional, help: "Rank of the LoRA.")
    var rank: Int

    @Option(help: "Folder for the LoRA.", completion: .directory)
    var output: String

    @Flag(
        help: """
            Write into a folder that has files in it: an adapter there is replaced, others stay.
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
        run.baseName = base.reference?.name
        run.overwrite = overwrite
        let result = try run.run()
        for text in result.notes { note("note: \(text)") }
        if json {
            return try printJSON([
                "output": output, "rank": rank, "lost": result.lostShare,
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
                output, rank, 100 * result.lostShare, 100 * result.lostOutputShare))
    }
}
