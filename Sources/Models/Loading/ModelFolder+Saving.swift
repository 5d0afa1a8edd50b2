import DualModules
import DualTorch
import Foundation

extension ModelFolder {
    /// What a saved head predicts, for `config.json`.
    public enum HeadMeaning: Equatable, Sendable {
        case regression
        case classes([String])
    }

    /// Writes the model as a folder that this package and transformers open.
    ///
    /// - Parameters:
    ///   - fields: the base model's configuration; what the head needs is added.
    ///   - files: the tokenizer's files, copied along where they exist.
    /// - Throws: ``SafetensorsError`` or an error of the file system; the caller removes the folder.
    public static func write(
        _ weights: [String: Tensor], fields: [String: Any], head: HeadMeaning?,
        copying files: [URL], to folder: URL
    ) throws {
        try SafetensorsWriter.write(
            weights, to: folder.appendingPathComponent("model.safetensors"))
        var fields = fields
        if let head { head.describe(in: &fields) }
        if let dtype = mostCommonType(of: weights) {
            fields["dtype"] = dtype.rawValue
            fields["torch_dtype"] = nil
        }
        try write(fields, to: folder)
        for file in files where FileManager.default.fileExists(atPath: file.path) {
            let copy = folder.appendingPathComponent(file.lastPathComponent)
            try AtomicFile.write(try Data(contentsOf: file), to: copy)
        }
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
    public static func checkpointWeights(
        of model: any TransformerModel
    ) throws -> [String: Tensor] {
        var weights: [String: Tensor] = [:]
        for parameter in model.parameters {
            let isBare = model.head == nil && parameter.name.hasPrefix(model.bodyPrefix)
            let name =
                isBare ? parameter.name.dropFirst(model.bodyPrefix.count) : parameter.name[...]
            weights[String(name)] = try parameter.stored()
        }
        if let tied = model.slots.tiedHead, tied.isApart {
            weights[tied.own.name] = try tied.own.stored()
        }
        return weights
    }
}

extension ModelFolder.HeadMeaning {
    /// Sets the fields that transformers reads.
    fileprivate func describe(in fields: inout [String: Any]) {
        fields["architectures"] = ["BertForSequenceClassification"]
        fields["num_labels"] = nil
        let names: [String]
        switch self {
        case .regression:
            names = ["LABEL_0"]
            fields["problem_type"] = "regression"
        case .classes(let classes):
            names = classes
            fields["problem_type"] = "single_label_classification"
        }
        let pairs = names.enumerated().map { (String($0.offset), $0.element) }
        fields["id2label"] = Dictionary(uniqueKeysWithValues: pairs)
        fields["label2id"] = Dictionary(
            names.enumerated().map { ($0.element, $0.offset) },
            uniquingKeysWith: { first, _ in first })
    }
}
