import FineTuning
import Foundation

/// What `inspect` shows of a model: the parameters that its configuration asks for, as they are stored.
struct ModelInspection {
    private let type: String
    private let kinds: [TensorKind]
    /// Names of parameters that the checkpoint lacks and that are made anew.
    private let created: [String]
    /// Names of tensors that the model does not use.
    private let unused: [String]
    /// What `config.json` says, or would.
    private let configuration: [String: Any]
    /// What the user should know.
    let notes: [String]

    /// - Throws: ``CommandError`` for a parameter that a GGUF file lacks or has in another shape; what loading
    ///   a folder throws.
    init(of folder: ModelFolder) throws {
        type = try folder.configuration.text("model_type") ?? ""
        configuration = folder.configuration.fields
        let stored: any StoredModel
        if let checkpoint = folder.gguf {
            stored = try StoredInGGUF(checkpoint, folder)
        } else {
            stored = try StoredInFolder(folder)
        }
        let model = stored.model
        kinds = TensorKind.grouped(
            try model.parameters.map { parameter in
                let (type, bytes) = try stored.form(of: parameter)
                return TensorKind(
                    parameter.name, shape: parameter.stored.shape, type: type, bytes: bytes,
                    isTarget: model.defaultTargets.contains {
                        parameter.name.hasSuffix(".\($0).weight")
                    })
            })
        (created, unused, notes) = (stored.created, stored.unused, stored.notes)
    }

    func show(asJSON: Bool) throws {
        guard !asJSON else { return try printJSON(fields) }
        print(
            textTable(
                ["parameter"] + TensorKind.columns + ["adapted by default"],
                kinds.map { $0.row + [$0.isTarget ? "yes" : "-"] }))
        let types = kinds.typeCounts.map { "\($0.count) \($0.type)" }.joined(separator: ", ")
        print(
            "\n\(type): \(kinds.numbers.formatted) parameters, \(kinds.bytes.formatted) bytes; "
                + "tensors by type: \(types)")
    }

    private var fields: [String: Any] {
        [
            "model_type": type, "parameters": kinds.numbers, "bytes": kinds.bytes,
            "unused": unused, "created": created, "configuration": configuration,
            "storage": Dictionary(
                uniqueKeysWithValues: kinds.typeCounts.map { ($0.type, $0.count) }),
            "kinds": kinds.map(\.fields),
        ]
    }
}

/// How a checkpoint stores the parameters of its model.
private protocol StoredModel {
    var model: any TransformerModel { get }
    var created: [String] { get }
    var unused: [String] { get }
    var notes: [String] { get }

    /// What the file calls the type of a parameter's numbers, and their bytes.
    func form(of parameter: Parameter) throws -> (type: String, bytes: Int)
}

/// A folder's, which loading checks; nothing is computed.
private struct StoredInFolder: StoredModel {
    private let loaded: LoadedModel

    init(_ folder: ModelFolder) throws {
        var options = ModelFolder.LoadOptions()
        (options.weights, options.computeType) = (.stored, .float32)
        loaded = try folder.load(options)
    }

    var model: any TransformerModel { loaded.model }
    var created: [String] { loaded.created }
    var unused: [String] { loaded.unused }
    var notes: [String] { loaded.notes() }

    func form(of parameter: Parameter) -> (type: String, bytes: Int) {
        let type = parameter.stored.numberType
        return (type.rawValue, parameter.stored.shape.reduce(type.byteCount, *))
    }
}

/// A GGUF file's: loading would copy the rows that it has in another order.
private struct StoredInGGUF: StoredModel {
    let model: any TransformerModel
    let created: [String] = []
    let unused: [String]
    private let checkpoint: GGUFCheckpoint
    private let place: String

    init(_ checkpoint: GGUFCheckpoint, _ folder: ModelFolder) throws {
        var options = ModelFolder.LoadOptions()
        options.drawing = .shapesOnly
        (self.checkpoint, place) = (checkpoint, folder.url.path)
        model = try ModelFolder.make(folder.configuration, options).model
        let used = Set(model.parameters.map(\.name))
        unused = checkpoint.names.filter { !used.contains($0) }
    }

    var notes: [String] {
        unused.isEmpty ? [] : ["not used of the file: \(unused.joined(separator: ", "))"]
    }

    func form(of parameter: Parameter) throws -> (type: String, bytes: Int) {
        let name = parameter.name
        let shape = try parameter.inCheckpointLayout().shape
        guard let found = checkpoint.shape(of: name), let type = checkpoint.type(of: name) else {
            throw CommandError("\(place) has no tensor for \(name)")
        }
        guard found == shape else {
            throw CommandError(
                "\(place): \(name) has the shape \(found), but the metadata asks for \(shape)")
        }
        return (type.name, shape.reduce(1, *) / type.blockSize * type.blockBytes)
    }
}
