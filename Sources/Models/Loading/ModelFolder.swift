import DualModules
import DualTorch
import Foundation

/// A model folder in Hugging Face's layout: `config.json`, `model.safetensors`, a tokenizer.
public struct ModelFolder {
    public let url: URL
    public let configuration: ConfigurationFile

    /// Files beside the weights that a changed model needs as well.
    public static let companionNames = ["generation_config.json"]

    /// What every architecture offers to the folder that holds it.
    struct Architecture: Sendable {
        let type: String
        /// Builds the model of a configuration from a checkpoint, or from random numbers.
        let make: @Sendable (ConfigurationFile, Checkpoint?, LoadOptions) throws -> LoadedModel
    }

    /// Every architecture that can be loaded, by `model_type`.
    static let architectures =
        [Architecture(type: "bert", make: Bert.load), Architecture(type: "gpt2", make: GPT2.load)]
        + LlamaConfiguration.Family.allCases.map {
            Architecture(type: $0.rawValue, make: Llama.load)
        }

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
        /// What stands for weights that are not loaded.
        public var drawing = Drawing.toTrain

        public init() {}

        /// A source of weights as these options want them.
        func source(
            of checkpoint: Checkpoint?, spellings: @escaping (String) -> [String]
        ) throws -> WeightSource {
            let dtype: DType? =
                switch weights {
                case .computeType: computeType
                case .stored: nil
                case .float32: .float32
                }
            return WeightSource(
                checkpoint, dtype: dtype, device: device, generator: try Generator(seed: seed),
                drawing: drawing, spellings: spellings)
        }
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
        try Self.load(configuration, weights: url, options)
    }

    /// Loads the model that a configuration describes from the checkpoint in a folder.
    /// - Throws: ``ModelError``, ``WeightError``, ``SafetensorsError``.
    public static func load(
        _ configuration: ConfigurationFile, weights: URL, _ options: LoadOptions = LoadOptions()
    ) throws -> LoadedModel {
        let architecture = try architecture(configuration)
        return try architecture.make(configuration, Checkpoint(folder: weights), options)
    }

    /// A model of random weights.
    /// - Throws: ``ModelError``, ``ConfigurationError``.
    public static func make(
        _ configuration: ConfigurationFile, _ options: LoadOptions = LoadOptions()
    ) throws -> LoadedModel {
        try architecture(configuration).make(configuration, nil, options)
    }

    private static func architecture(_ configuration: ConfigurationFile) throws -> Architecture {
        let type = try configuration.text("model_type") ?? "(none)"
        guard let found = architectures.first(where: { $0.type == type }) else {
            throw ModelError.unsupportedArchitecture(
                file: configuration.url.path, found: type, known: architectures.map(\.type))
        }
        try refuseQuantized(configuration)
        return found
    }

    /// Quantised weights would be read as numbers that they are not.
    private static func refuseQuantized(_ configuration: ConfigurationFile) throws {
        guard let quantization = configuration.fields["quantization_config"] else { return }
        let method = (quantization as? [String: Any])?["quant_method"] as? String
        throw configuration.bad(
            "quantization_config", found: method ?? "\(quantization)",
            expected: "missing: only weights of F32, F16 and BF16 are read")
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
}

/// A model, and what its user should know about how it was loaded.
public struct LoadedModel {
    public let model: any TransformerModel
    /// Parameters that were drawn at random, for the checkpoint has none that fits.
    public let created: [String]
    /// Tensors of the checkpoint that the model has no place for.
    public let unused: [String]

    /// The model as one that scores sequences.
    /// - Throws: ``ModelError/otherKind(model:wanted:)``.
    public func sequenceModel() throws -> any SequenceModel {
        guard let model = model as? any SequenceModel else {
            throw ModelError.otherKind(
                model: "\(type(of: model))", wanted: "an encoder, which scores sentences")
        }
        return model
    }

    /// The model as one that predicts the next token.
    /// - Throws: ``ModelError/otherKind(model:wanted:)``.
    public func causalModel() throws -> any CausalModel {
        guard let model = model as? any CausalModel else {
            throw ModelError.otherKind(
                model: "\(type(of: model))", wanted: "a decoder, which predicts the next token")
        }
        return model
    }

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
