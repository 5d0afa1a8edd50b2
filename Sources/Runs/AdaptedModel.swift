import DualAdapters
import DualModels
import DualTokenization
import DualTorch
import DualTraining
import Foundation

/// A model from its folder, with adapters from others if some are named.
public struct AdaptedModel {
    public let folder: ModelFolder
    public let loaded: LoadedModel
    /// The adapters, by the paths of their folders.
    public let adapters: NamedAdapters
    /// Where its tokenizer is.
    public let tokenizer: TokenizerSource
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

    /// An adapter's folder, and what its change is multiplied by.
    public struct Source: Equatable, Sendable {
        public let folder: URL
        public let weight: Double

        public init(_ folder: URL, weight: Double = 1) {
            self.folder = folder
            self.weight = weight
        }
    }

    /// The adapter, where there is one alone.
    public var adapter: AdapterSet? {
        adapters.names.count == 1 ? try? adapters[adapters.names[0]] : nil
    }

    /// A model of the folder, with as many rows for tokens as the adapters and the tokenizer in their folders
    /// need: what PEFT's `AutoPeftModelForCausalLM` does.
    public static func load(
        model: URL, adapter: URL?, options: ModelFolder.LoadOptions
    ) throws -> AdaptedModel {
        try load(model: model, adapters: adapter.map { [Source($0)] } ?? [], options: options)
    }

    /// - Throws: ``ModelError``, ``WeightError``, ``AdapterError``, ``SafetensorsError``: one line
    ///   that names the file, the field or the tensor.
    public static func load(
        model: URL, adapters sources: [Source], options: ModelFolder.LoadOptions
    ) throws -> AdaptedModel {
        let folder = try ModelFolder(model)
        let saved = try sources.map { try AdapterFolder($0.folder) }
        var options = options
        if let head = try folder.labelHeadPath(),
            let labels = saved.lazy.compactMap({ $0.labels(ofHead: head) }).first
        {
            options.labels = labels
        }
        let loaded = try folder.load(options)
        let tokenizer = TokenizerSource(model: model, adapters: sources.map(\.folder))
        let tokenCount = try tokenizer.isOfAdapter ? tokenizer.load().tokenCount : nil
        let sizes = try saved.compactMap {
            try $0.vocabularySize(for: loaded.model.slots, tokenizerCount: tokenCount)
        }
        if let size = sizes.max() { try loaded.model.resizeVocabulary(to: size) }
        let adapters = NamedAdapters(of: loaded.model.slots)
        for adapter in saved { try adapters.load(adapter, as: adapter.url.relativePath) }
        try adapters.activate(sources.map { ($0.folder.relativePath, $0.weight) })
        if let room = loaded.model.maximumLength, room < fewestPositions, let source = sources.last
        {
            throw AdapterError.unsupported(
                file: source.folder.path, key: "num_virtual_tokens",
                found: "\(loaded.model.slots.virtualTokens)",
                reason: "which leave \(room) of the model's positions to a text")
        }
        let sets = try adapters.names.map { try adapters[$0] }
        let restored = sets.flatMap { $0.savedParameters.map(\.name) }
        return AdaptedModel(
            folder: folder, loaded: loaded, adapters: adapters, tokenizer: tokenizer,
            notes: loaded.notes(restored: Set(restored)) + sets.flatMap(\.notes)
                + (try tokenizer.note().map { [$0] } ?? []) + (try notes(of: sources, adapters)))
    }

    /// The model's `config.json` as it is now: with the vocabulary and the tie that the adapters leave it.
    var fields: [String: Any] {
        var fields = folder.configuration.fieldsWithNulls
        if model.slots.tiedHead?.isApart ?? false { fields["tie_word_embeddings"] = false }
        return fields.withVocabulary(of: model)
    }

    private static func notes(
        of sources: [Source], _ adapters: NamedAdapters
    ) throws -> [String] {
        try sources.compactMap { source in
            let saved = try adapters[source.folder.relativePath].savedParameters
            guard source.weight != 1, let first = saved.first else { return nil }
            let rest = saved.count > 1 ? " and \(saved.count - 1) more" : ""
            return "\(source.folder.relativePath): \(first.name)\(rest), which it brings whole, "
                + "cannot be weighted and acts as it is"
        }
    }
}

extension [String: Any] {
    /// The same, with as many tokens as a model has.
    func withVocabulary(of model: any TransformerModel) -> [String: Any] {
        guard let size = self["vocab_size"] as? Int, size != model.vocabularySize else {
            return self
        }
        return merging(["vocab_size": model.vocabularySize]) { $1 }
    }
}
