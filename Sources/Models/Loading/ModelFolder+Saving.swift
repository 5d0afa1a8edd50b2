import DualModules
import DualTorch
import Foundation

extension ModelFolder {
    /// Writes the model as a folder that this package and transformers open.
    ///
    /// - Parameters:
    ///   - fields: the base model's configuration.
    ///   - dtype: of all weights in the file; nil for the types that they have.
    ///   - head: what the head's outputs mean, which is added to the fields.
    ///   - files: the tokenizer's files, copied along where they exist.
    /// - Throws: ``SafetensorsError``, ``ModelError`` for a head on fields of no known architecture, or an
    ///   error of the file system; the caller removes the folder.
    public static func write(
        _ weights: [String: Tensor], as dtype: DType? = nil, fields: [String: Any],
        head: HeadMeaning?, copying files: [URL], to folder: URL
    ) throws {
        let entries = weights.map {
            SafetensorsWriter.Entry(
                name: $0.key, dtype: dtype ?? $0.value.dtype, shape: $0.value.shape)
        }
        try SafetensorsWriter.write(
            entries, to: folder.appendingPathComponent("model.safetensors")
        ) { try weights[$0.name]?.to($0.dtype) }
        var fields = fields
        if let head {
            let file = ConfigurationFile(
                folder.appendingPathComponent("config.json"), fields: fields)
            fields["architectures"] = [try Architecture.of(file).names(file).headClass]
            head.describe(in: &fields)
        }
        if try hasApartHead(weights, fields, folder) { fields["tie_word_embeddings"] = false }
        if let dtype = dtype ?? mostCommonType(of: weights) {
            fields["dtype"] = dtype.rawValue
            fields["torch_dtype"] = nil
        }
        try write(fields, to: folder)
        for file in files where FileManager.default.fileExists(atPath: file.path) {
            let copy = folder.appendingPathComponent(file.lastPathComponent)
            try AtomicFile.write(try Data(contentsOf: file), to: copy)
        }
    }

    /// Whether there is a head of its own, which the fields make one with the embedding.
    private static func hasApartHead(
        _ weights: [String: Tensor], _ fields: [String: Any], _ folder: URL
    ) throws -> Bool {
        guard let type = fields["model_type"] as? String,
            let architecture = Architecture.all.first(where: { $0.modelType == type })
        else { return false }
        let file = ConfigurationFile(folder.appendingPathComponent("config.json"), fields: fields)
        let headWeight = try architecture.names(file).headPath + ".weight"
        return try weights[headWeight] != nil && architecture.tiesHead(file)
    }

    /// The type of most of the numbers: what an adapter brought whole may be wider than the model.
    private static func mostCommonType(of weights: [String: Tensor]) -> DType? {
        var counts: [DType: Int] = [:]
        for weight in weights.values { counts[weight.dtype, default: 0] += weight.count }
        return counts.max { ($0.value, $0.key.rawValue) < ($1.value, $1.key.rawValue) }?.key
    }

    /// Writes `config.json`.
    static func write(_ fields: [String: Any], to folder: URL) throws {
        let json = try JSONSerialization.data(
            withJSONObject: fields, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        try AtomicFile.write(json, to: folder.appendingPathComponent("config.json"))
    }

    /// The weights under the names of the checkpoint that transformers writes: without a head, those
    /// of the bare model.
    /// - Parameter dtype: of what is quantised in the model; nil for float32.
    public static func checkpointWeights(
        of model: any TransformerModel, as dtype: DType? = nil
    ) throws -> [String: Tensor] {
        var weights: [String: Tensor] = [:]
        let prefix = model.slots.bodyPrefix
        for parameter in model.parameters {
            let isBare = model.head == nil && parameter.name.hasPrefix(prefix)
            let name = isBare ? parameter.name.dropFirst(prefix.count) : parameter.name[...]
            weights[String(name)] = try parameter.inCheckpointLayout(blocksAs: dtype)
        }
        if let tied = model.slots.tiedHead, tied.isApart {
            weights[tied.own.name] = try tied.own.inCheckpointLayout(blocksAs: dtype)
        }
        return weights
    }
}
