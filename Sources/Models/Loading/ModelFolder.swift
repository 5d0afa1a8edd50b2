import DualModules
import DualTorch
import Foundation

/// A model folder in Hugging Face's layout: `config.json`, `model.safetensors`, a tokenizer.
public struct ModelFolder {
    public let url: URL
    public let configuration: ConfigurationFile

    /// Files beside the weights that a changed model needs as well.
    package static let companionNames = ["generation_config.json"]

    /// Reads `config.json`.
    /// - Throws: ``ModelError``.
    public init(_ url: URL) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder),
            isFolder.boolValue
        else { throw ModelError.noFolder(path: url.path) }
        self.url = url
        configuration = try ConfigurationFile(url.appendingPathComponent("config.json"))
    }

    /// The path of the head that scores sequences by labels, in checkpoints and adapters of the
    /// architecture; nil for one that has no such head.
    /// - Throws: ``ModelError``, ``ConfigurationError``.
    package func labelHeadPath() throws -> String? {
        let architecture = try Architecture.of(configuration)
        return architecture.hasLabels ? try architecture.names(configuration).headPath : nil
    }

    /// Loads the model.
    /// - Throws: ``ModelError``, ``WeightError``, ``SafetensorsError``.
    public func load(_ options: LoadOptions = LoadOptions()) throws -> LoadedModel {
        try Self.load(configuration, weights: url, options)
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
    /// - Throws: ``ModelError``, ``ConfigurationError``.
    public static func make(
        _ configuration: ConfigurationFile, _ options: LoadOptions = LoadOptions()
    ) throws -> LoadedModel {
        try Architecture.of(configuration).load(configuration, nil, options)
    }
}
