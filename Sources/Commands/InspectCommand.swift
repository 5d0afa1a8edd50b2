import ArgumentParser
import FineTuning
import Foundation

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Show what a model's folder or GGUF file holds.",
        discussion: """
            Checks that the checkpoint has every tensor that config.json (or the metadata of a GGUF file) \
            asks for, in its shape, and lists the parameters by kind. Weights are not read, however large \
            they are.

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
        let folder = try ModelFolder(source.model(model).url)
        if let checkpoint = folder.gguf {
            return try GGUFInspection(folder, checkpoint).show(asJSON: json)
        }
        var options = ModelFolder.LoadOptions()
        options.weights = .stored
        // Nothing is computed.
        options.computeType = .float32
        let loaded = try folder.load(options)
        let type = try folder.configuration.text("model_type") ?? ""
        let kinds = Self.kinds(of: loaded.model)
        guard !json else { return try printJSON(fields(type, loaded, kinds)) }
        print(
            textTable(
                ["parameter", "shape", "type", "how many", "numbers", "adapted by default"],
                kinds.map { kind in
                    [
                        kind.name, kind.shape.map(String.init).joined(separator: " x "),
                        kind.dtype.rawValue, "\(kind.count)", kind.numbers.formatted,
                        isTarget(kind, loaded.model) ? "yes" : "-",
                    ]
                }))
        let total = kinds.reduce(0) { $0 + $1.numbers }
        print("\n\(type): \(total.formatted) parameters, \(Self.bytes(kinds).formatted) bytes")
        for text in loaded.notes() { note("note: \(text)") }
    }

    /// Parameters of one name, but for the number of their layer, and of one shape.
    private struct Kind: Equatable {
        let name: String
        let shape: [Int]
        let dtype: DType
        var count = 1

        var numbers: Int { count * shape.reduce(1, *) }
    }

    private static func kinds(of model: any TransformerModel) -> [Kind] {
        var kinds: [Kind] = []
        for parameter in model.parameters {
            let words = parameter.name.split(separator: ".").map { Int($0) == nil ? $0 : "*" }
            let kind = Kind(
                name: words.joined(separator: "."), shape: parameter.stored.shape,
                dtype: parameter.stored.numberType)
            let known = kinds.firstIndex {
                $0.name == kind.name && $0.shape == kind.shape && $0.dtype == kind.dtype
            }
            if let known { kinds[known].count += 1 } else { kinds.append(kind) }
        }
        return kinds
    }

    private static func bytes(_ kinds: [Kind]) -> Int {
        kinds.reduce(0) { $0 + $1.numbers * $1.dtype.byteCount }
    }

    private func isTarget(_ kind: Kind, _ model: any TransformerModel) -> Bool {
        model.defaultTargets.contains { kind.name.hasSuffix(".\($0).weight") }
    }

    private func fields(
        _ type: String, _ loaded: LoadedModel, _ kinds: [Kind]
    ) -> [String: Any] {
        [
            "model_type": type, "parameters": kinds.reduce(0) { $0 + $1.numbers },
            "bytes": Self.bytes(kinds), "unused": loaded.unused, "created": loaded.created,
            "kinds": kinds.map {
                [
                    "name": $0.name, "shape": $0.shape, "dtype": $0.dtype.rawValue,
                    "count": $0.count,
                ] as [String: Any]
            },
        ]
    }
}
