import ArgumentParser
import FineTuning
import Foundation

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Show what a model's folder or GGUF file holds.",
        discussion: """
            Checks that the checkpoint has every tensor that config.json (or the metadata of a GGUF file) \
            asks for, in its shape, and lists the parameters by kind. Weights are not read, however large \
            they are. Of a GGUF file with an adapter in it the factors are listed.

            Example:
              duallora inspect MiniLM
              duallora inspect SmolLM2-135M-Instruct.Q4_1.gguf
            """)

    @Argument(help: "The model: a folder, a GGUF file or org/name.", completion: .file())
    var model: String

    @OptionGroup var source: SourceArguments

    @Flag(help: "Print a JSON object.")
    var json = false

    func run() throws {
        let place = try source.model(model).url
        if GGUFFile.isOne(place), let adapter = try GGUFAdapter(GGUFFile(place)) {
            return try AdapterInspection(adapter).show(asJSON: json)
        }
        let inspection = try ModelInspection(of: ModelFolder(place))
        try inspection.show(asJSON: json)
        guard !json else { return }
        for text in inspection.notes { note("note: \(text)") }
    }
}
