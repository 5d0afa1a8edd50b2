import DualModules
import DualTorch
import Foundation

/// A model folder in Hugging Face's layout: `config.json`, `model.safetensors`, a tokenizer.
public struct ModelFolder {
    public let url: URL
    public let configuration: ConfigurationFile

    /// What every architecture offers to the folder that holds it.
    struct Architecture: Sendable {
        let type: String
        let make: @Sendable (ModelFolder, LoadOptions) throws -> LoadedModel
    }

    /// Every architecture that can be loaded, by `model_type`.
    static let architectures = [Architecture(type: "bert", make: Bert.load)]

    /// How a model is loaded.
    public struct LoadOptions {
        /// What activations are computed in.
        public var computeType = DType.bfloat16
        public var weights = WeightStorage.computeType
        public var device = Device.cpu
        /// Outputs of the head that is asked for; nil takes the checkpoint's head, or none.
        public var labels: Int?
        /// Draws what the checkpoint lacks.
        public var seed: UInt64 = 0

        public init() {}
    }

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

    /// Loads the model.
    /// - Throws: ``ModelError``, ``WeightError``, ``SafetensorsError``.
    public func load(_ options: LoadOptions = LoadOptions()) throws -> LoadedModel {
        let type = try configuration.text("model_type") ?? "(none)"
        guard let found = Self.architectures.first(where: { $0.type == type }) else {
            throw ModelError.unsupportedArchitecture(
                file: configuration.url.path, found: type, known: Self.architectures.map(\.type))
        }
        return try found.make(self, options)
    }

    /// What weights are kept in.
    public enum WeightStorage: Equatable, Sendable {
        /// As they are computed with: no conversion in every step.
        case computeType
        /// As they are stored: no copy, and none of their bits lost.
        case stored
        /// As they must be to train: small updates do not get lost.
        case float32
    }

    /// The number of labels that the configuration speaks of; 2 when it does not, as transformers.
    func labelCount() throws -> Int {
        if let names = configuration.fields["id2label"] {
            guard let names = names as? [String: Any] else {
                throw configuration.bad(
                    "id2label", found: "\(names)", expected: "an object of names by number")
            }
            return names.count
        }
        return try configuration.integer("num_labels") ?? 2
    }
}

/// A model, and what its user should know about how it was loaded.
public struct LoadedModel {
    public let model: any SequenceModel
    /// Parameters that were drawn at random, for the checkpoint has none that fits.
    public let created: [String]
    /// Tensors of the checkpoint that the model has no place for.
    public let unused: [String]

    /// What to tell the user, given that `restored` parameters came from elsewhere after all.
    public func notes(restored: Set<String> = []) -> [String] {
        let made = created.filter { !restored.contains($0) }
        var notes: [String] = []
        if !made.isEmpty {
            notes.append("made anew, for the checkpoint has none: \(made.joined(separator: ", "))")
        }
        if !unused.isEmpty {
            notes.append("not used of the checkpoint: \(unused.joined(separator: ", "))")
        }
        return notes
    }
}

extension Bert {
    static func load(
        _ folder: ModelFolder, _ options: ModelFolder.LoadOptions
    ) throws -> LoadedModel {
        let checkpoint = try Checkpoint(folder: folder.url)
        let configuration = try BertConfiguration(folder.configuration)
        let dtype: DType? =
            switch options.weights {
            case .computeType: options.computeType
            case .stored: nil
            case .float32: .float32
            }
        let source = WeightSource(
            checkpoint, dtype: dtype, device: options.device,
            generator: try Generator(seed: options.seed), spellings: checkpointSpellings)
        let head = try chooseHead(source, folder, configuration, labels: options.labels)
        let bert = try Bert(source, configuration, head: head, computeType: options.computeType)
        return LoadedModel(
            model: bert, created: bert.parameters.filter(\.isCreated).map(\.name),
            unused: source.unused.filter { !isIgnorable($0) })
    }

    /// The checkpoint's head, if it has the outputs that are asked for; else a new one.
    private static func chooseHead(
        _ source: WeightSource, _ folder: ModelFolder, _ configuration: BertConfiguration,
        labels: Int?
    ) throws -> HeadChoice {
        guard let labels else {
            let stored = source.contains("classifier.weight")
            return stored ? .stored(labels: try folder.labelCount()) : .none
        }
        let fits = source.contains("classifier.weight", shape: [labels, configuration.hiddenSize])
        return fits ? .stored(labels: labels) : .created(labels: labels)
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
