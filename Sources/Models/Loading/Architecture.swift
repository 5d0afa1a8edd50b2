import DualJSON
import DualModules
import DualTorch

/// An architecture in the list of those that can be loaded.
struct Architecture {
    /// `model_type` in `config.json`.
    let modelType: String
    /// Reads what the architecture calls things.
    let names: (ConfigurationFile) throws -> ArchitectureNames
    /// The model of a configuration, from a checkpoint or from random numbers.
    let load:
        (ConfigurationFile, (any StoredTensors)?, ModelFolder.LoadOptions) throws -> LoadedModel
    /// Whether its head scores sequences by labels.
    let hasLabels: Bool
    /// The longest sequence that a configuration has positions for; nil for any.
    let positions: (ConfigurationFile) throws -> Int?
    /// Whether a configuration makes the head one with the words' embedding.
    let tiesHead: (ConfigurationFile) throws -> Bool

    /// Every architecture.
    static var all: [Architecture] {
        [Architecture("bert", Bert.self), Architecture("gpt2", GPT2.self)]
            + LlamaConfiguration.Family.allCases.map { Architecture($0.rawValue, Llama.self) }
    }

    private init<Model: LoadableModel>(_ modelType: String, _ model: Model.Type) {
        self.modelType = modelType
        names = { try Model.Configuration($0).names }
        load = { file, checkpoint, options in
            try Model.load(try Model.Configuration(file), file, checkpoint, options)
        }
        hasLabels = Model.self is any SequenceModel.Type
        positions = { try Model.Configuration($0).positionLimit }
        tiesHead = {
            (try Model.Configuration($0) as? any DecoderConfiguration)?.sharesEmbedding ?? false
        }
    }

    /// Keys by which transformers takes other files, other layers or other weights, whatever the
    /// architecture.
    private static let unsupported = [
        UnsupportedKey("per_layer_config", unless: .nothing),
        UnsupportedKey("configuration_files", unless: .nothing),
        UnsupportedKey("transformers_weights", unless: .nothing),
        UnsupportedKey("fusion_config", unless: .nothing),
        UnsupportedKey("is_encoder_decoder", unless: .no),
    ]

    /// The architecture of a configuration.
    /// - Throws: ``ModelError/unsupportedArchitecture(file:found:known:)``, and for quantised weights, which
    ///   would be read as numbers that they are not, ``ConfigurationError``.
    static func of(_ configuration: ConfigurationFile) throws -> Architecture {
        let type = try configuration.text("model_type") ?? "(none)"
        guard let architecture = all.first(where: { $0.modelType == type }) else {
            throw ModelError.unsupportedArchitecture(
                file: configuration.url.path, found: type.excerpt(), known: all.map(\.modelType))
        }
        try configuration.refuse(unsupported)
        guard let quantization = configuration.fields["quantization_config"] else {
            return architecture
        }
        let method = (quantization as? [String: Any])?["quant_method"] as? String
        throw configuration.bad(
            "quantization_config", found: method ?? "\(quantization)",
            expected: "missing: only weights of F32, F16 and BF16 are read")
    }
}

/// A kind of model that ``Architecture`` lists.
protocol LoadableModel: TransformerModel {
    associatedtype Configuration: TransformerConfiguration

    /// The model, from a checkpoint or, without one, from random numbers.
    /// - Parameter file: that the configuration was read from.
    static func load(
        _ configuration: Configuration, _ file: ConfigurationFile,
        _ checkpoint: (any StoredTensors)?,
        _ options: ModelFolder.LoadOptions
    ) throws -> LoadedModel
}
