import DualModules
import DualTorch
import Foundation

extension Bert {
    static func load(
        _ file: ConfigurationFile, _ checkpoint: Checkpoint?, _ options: ModelFolder.LoadOptions
    ) throws -> LoadedModel {
        let configuration = try BertConfiguration(file)
        let source = try options.source(of: checkpoint, spellings: checkpointSpellings)
        let head = try chooseHead(source, file, configuration, labels: options.labels)
        let bert = try Bert(source, configuration, head: head, computeType: options.computeType)
        try source.check()
        return LoadedModel(
            model: bert, created: bert.parameters.filter(\.isCreated).map(\.name),
            unused: source.unused.filter { !isIgnorable($0) })
    }

    /// The checkpoint's head, if it has the outputs that are asked for; else a new one.
    private static func chooseHead(
        _ source: WeightSource, _ file: ConfigurationFile, _ configuration: BertConfiguration,
        labels: Int?
    ) throws -> HeadChoice {
        guard let labels else {
            let stored = source.contains("classifier.weight")
            return stored ? .stored(labels: try labelCount(file)) : .none
        }
        let fits = source.contains("classifier.weight", shape: [labels, configuration.hiddenSize])
        return fits ? .stored(labels: labels) : .created(labels: labels)
    }

    /// The number of labels that the configuration speaks of; 2 when it does not, as transformers.
    private static func labelCount(_ file: ConfigurationFile) throws -> Int {
        if let names = file.fields["id2label"] {
            guard let names = names as? [String: Any] else {
                throw file.bad(
                    "id2label", found: "\(names)", expected: "an object of names by number")
            }
            return names.count
        }
        return try file.integer("num_labels") ?? 2
    }

    /// Old checkpoints call LayerNorm's weights gamma and beta; those of the bare encoder
    /// (`BertModel`) lack the prefix `bert.`.
    private static func checkpointSpellings(_ name: String) -> [String] {
        let old = name.replacingOccurrences(of: "LayerNorm.weight", with: "LayerNorm.gamma")
            .replacingOccurrences(of: "LayerNorm.bias", with: "LayerNorm.beta")
        let names = old == name ? [name] : [name, old]
        return names + names.filter { $0.hasPrefix("bert.") }.map { String($0.dropFirst(5)) }
    }

    /// Buffers, and the heads of pretraining, which fine-tuning leaves behind; and a classifier that
    /// has been replaced, which is said of the new one.
    private static func isIgnorable(_ name: String) -> Bool {
        name.hasSuffix("embeddings.position_ids") || name.hasPrefix("cls.")
            || name.hasPrefix("classifier.")
    }

    /// A model with random weights.
    public static func random(
        _ configuration: BertConfiguration, labels: Int, computeType: DType, seed: UInt64
    ) throws -> Bert {
        let source = WeightSource(nil, dtype: .float32, generator: try Generator(seed: seed))
        return try Bert(
            source, configuration, head: .created(labels: labels), computeType: computeType)
    }
}
