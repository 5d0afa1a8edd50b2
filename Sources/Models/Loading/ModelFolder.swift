import DualGGUF
import DualJSON
import DualModules
import DualTorch
import Foundation

/// A model folder in Hugging Face's layout: `config.json`, `model.safetensors`, a tokenizer; or a GGUF file,
/// which has all of them in it.
public struct ModelFolder {
    public let url: URL
    public let configuration: ConfigurationFile
    /// The configuration and the tokenizer.
    public let files: ModelFiles
    /// The tensors of a GGUF file; nil for a folder.
    public let gguf: GGUFCheckpoint?

    /// Files beside the weights that a changed model needs as well.
    package static let companionNames = ["generation_config.json"]

    /// Reads `config.json`, or the metadata of a GGUF file.
    /// - Throws: ``ModelError``, ``GGUFError``.
    public init(_ url: URL) throws {
        if GGUFFile.isOne(url) {
            let file = try GGUFFile(url)
            (self.url, files) = (url, try ModelFiles(file))
            configuration = ConfigurationFile(url, fields: try GGUFConfiguration(file).fields())
            gguf = try GGUFCheckpoint(file)
            return
        }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder),
            isFolder.boolValue
        else { throw ModelError.noFolder(path: url.path) }
        (self.url, files, gguf) = (url, ModelFiles(folder: url), nil)
        configuration = try ConfigurationFile(url.appendingPathComponent("config.json"))
    }

    /// The path of the head that scores sequences by labels, in checkpoints and adapters of the
    /// architecture; nil for one that has no such head.
    /// - Throws: ``ModelError``, ``ConfigurationError``.
    package func labelHeadPath() throws -> String? {
        let architecture = try Architecture.of(configuration)
        return architecture.hasLabels ? try architecture.names(configuration).headPath : nil
    }

    /// The longest sequence that a model has positions for, by its configuration; nil for any length.
    /// - Throws: ``ModelError``, ``ConfigurationError``.
    public static func positions(of configuration: ConfigurationFile) throws -> Int? {
        try Architecture.of(configuration).positions(configuration)
    }

    /// Loads the model.
    /// - Throws: ``ModelError``, ``WeightError``, ``SafetensorsError``, ``GGUFError``.
    public func load(_ options: LoadOptions = LoadOptions()) throws -> LoadedModel {
        guard let gguf else { return try Self.load(configuration, weights: url, options) }
        return try Architecture.of(configuration).load(configuration, gguf, options)
    }

    /// Loads the model that a configuration describes from the checkpoint in a folder.
    /// - Throws: ``ModelError``, ``WeightError``, ``SafetensorsError``.
    public static func load(
        _ configuration: ConfigurationFile, weights: URL, _ options: LoadOptions = LoadOptions()
    ) throws -> LoadedModel {
        let architecture = try Architecture.of(configuration)
        return try architecture.load(configuration, Checkpoint(folder: weights), options)
    }

    /// A model of random weights.
    /// - Throws: ``ModelError``, also ``ModelError/tooLarge(file:bytes:room:place:)`` before weights are
    ///   drawn that memory has no room for; ``ConfigurationError``.
    public static func make(
        _ configuration: ConfigurationFile, _ options: LoadOptions = LoadOptions()
    ) throws -> LoadedModel {
        let architecture = try Architecture.of(configuration)
        if options.drawing != .shapesOnly, options.device == .cpu {
            var shapes = options
            shapes.drawing = .shapesOnly
            let model = try architecture.load(configuration, nil, shapes).model
            let width = options.drawing == .toTrain ? DType.float32 : options.resolvedComputeType
            try configuration.check(
                bytes: model.byteCount(in: width),
                fitIn: Double(ProcessInfo.processInfo.physicalMemory), of: "memory")
        }
        return try architecture.load(configuration, nil, options)
    }
}

extension ConfigurationFile {
    /// - Throws: ``ModelError/tooLarge(file:bytes:room:place:)``
    func check(bytes: Double, fitIn room: Double, of place: String) throws {
        guard bytes > room else { return }
        throw ModelError.tooLarge(file: url.path, bytes: bytes, room: room, place: place)
    }
}

extension TransformerModel {
    /// The bytes of all weights in a type; not an integer, for what a configuration asks for may be
    /// beyond any.
    func byteCount(in dtype: DType) -> Double {
        parameters.reduce(0) { sum, parameter in
            sum + parameter.stored.shape.reduce(Double(dtype.byteCount)) { $0 * Double($1) }
        }
    }
}
