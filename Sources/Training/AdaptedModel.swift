import DualAdapters
import DualModels
import DualTorch
import Foundation

/// A model from its folder, with an adapter from another if one is named.
public struct AdaptedModel {
    public let folder: ModelFolder
    public let loaded: LoadedModel
    public let adapter: AdapterSet?
    /// What the user should know about how it was loaded.
    public let notes: [String]

    public var model: any TransformerModel { loaded.model }

    /// What a text needs beside virtual tokens: special tokens and something between them.
    static let fewestPositions = 4

    /// Checks that the model tells these kinds of sentence apart.
    /// - Throws: ``ModelError/unknownType(id:types:)``.
    public func check(typeIDs: [Int]) throws {
        if let scorer = model as? any SequenceModel { return try scorer.check(typeIDs: typeIDs) }
        if let strange = typeIDs.first(where: { $0 != 0 }) {
            throw ModelError.unknownType(id: strange, types: 1)
        }
    }

    /// - Throws: ``ModelError``, ``WeightError``, ``AdapterError``, ``SafetensorsError``: one line
    ///   that names the file, the field or the tensor.
    public static func load(
        model: URL, adapter: URL?, options: ModelFolder.LoadOptions
    ) throws -> AdaptedModel {
        let folder = try ModelFolder(model)
        let saved = try adapter.map(AdapterFolder.init)
        var options = options
        if let labels = saved?.labels { options.labels = labels }
        let loaded = try folder.load(options)
        let set = try saved?.attach(to: loaded.model.slots)
        if let room = loaded.model.maximumLength, room < fewestPositions, let adapter {
            throw AdapterError.unsupported(
                file: adapter.path, key: "num_virtual_tokens",
                found: "\(loaded.model.slots.virtualTokens)",
                reason: "which leave \(room) of the model's positions to a text")
        }
        let restored = Set(set?.savedParameters.map(\.name) ?? [])
        return AdaptedModel(
            folder: folder, loaded: loaded, adapter: set,
            notes: loaded.notes(restored: restored))
    }
}
