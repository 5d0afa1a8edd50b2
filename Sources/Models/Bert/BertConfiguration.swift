import DualModules
import DualTorch
import Foundation

/// The fields of a BERT `config.json` that matter to the computation. Reference: transformers'
/// `BertConfig`, whose defaults these are.
public struct BertConfiguration: EncoderConfiguration {
    public var vocabularySize = 30522
    public var hiddenSize = 768
    public var layers = 12
    public var heads = 12
    public var intermediateSize = 3072
    public var activation = Activation.gelu
    public var hiddenDropout = 0.1
    public var attentionDropout = 0.1
    /// Dropout before the head; nil for ``hiddenDropout``.
    public var classifierDropout: Double?
    public var maximumPositions = 512
    public var typeVocabularySize = 2
    public var initializerRange = 0.02
    public var layerNormEpsilon = 1e-12
    public var paddingID = 0
    /// The token whose embedding does not learn; nil where all do.
    public var frozenToken: Int? = 0
    /// Whether the head of pretraining has the words' embedding for its weight.
    public var tiesPretrainingHead = true

    public init() {}

    public var headSize: Int { hiddenSize / heads }

    public var positionLimit: Int? { maximumPositions }

    public var headDropout: Double { classifierDropout ?? hiddenDropout }

    /// Reads and checks the fields.
    /// - Throws: ``ConfigurationError/badValue(file:key:found:expected:)`` naming the field.
    public init(_ file: ConfigurationFile) throws {
        vocabularySize = try file.size("vocab_size", default: vocabularySize)
        hiddenSize = try file.size("hidden_size", default: hiddenSize)
        layers = try file.layerCount("num_hidden_layers", default: layers)
        heads = try file.size("num_attention_heads", default: heads)
        intermediateSize = try file.size("intermediate_size", default: intermediateSize)
        maximumPositions = try file.size("max_position_embeddings", default: maximumPositions)
        typeVocabularySize = try file.size("type_vocab_size", default: typeVocabularySize)
        activation = try file.choice("hidden_act", default: activation)
        hiddenDropout = try file.probability("hidden_dropout_prob", default: hiddenDropout)
        attentionDropout = try file.probability(
            "attention_probs_dropout_prob", default: attentionDropout)
        if try file.number("classifier_dropout") != nil {
            classifierDropout = try file.probability("classifier_dropout", default: 0)
        }
        initializerRange = try file.number("initializer_range") ?? initializerRange
        layerNormEpsilon = try file.number("layer_norm_eps") ?? layerNormEpsilon
        paddingID = try file.integer("pad_token_id") ?? paddingID
        frozenToken = file.isNull("pad_token_id") ? nil : paddingID
        tiesPretrainingHead = try file.flag("tie_word_embeddings") ?? tiesPretrainingHead
        try check(file)
    }

    private func check(_ file: ConfigurationFile) throws {
        try file.refuse(Self.unsupported)
        guard hiddenSize % heads == 0 else {
            throw file.bad(
                "hidden_size", found: "\(hiddenSize)",
                expected: "a multiple of num_attention_heads, \(heads)")
        }
        guard 0..<vocabularySize ~= paddingID else {
            throw file.bad(
                "pad_token_id", found: "\(paddingID)",
                expected: "at least 0 and less than vocab_size, \(vocabularySize)")
        }
        guard layerNormEpsilon >= 0 else {
            throw file.bad("layer_norm_eps", found: "\(layerNormEpsilon)", expected: "at least 0")
        }
    }

    private static let unsupported = [
        UnsupportedKey("is_decoder", unless: .no),
        UnsupportedKey("add_cross_attention", unless: .no),
        UnsupportedKey("position_embedding_type", unless: .texts(["absolute"])),
    ]

    /// The fields as transformers spells them.
    public var fields: [String: Any] {
        [
            "model_type": "bert", "vocab_size": vocabularySize, "hidden_size": hiddenSize,
            "num_hidden_layers": layers, "num_attention_heads": heads,
            "intermediate_size": intermediateSize, "hidden_act": activation.rawValue,
            "hidden_dropout_prob": hiddenDropout,
            "attention_probs_dropout_prob": attentionDropout,
            "max_position_embeddings": maximumPositions, "type_vocab_size": typeVocabularySize,
            "initializer_range": initializerRange, "layer_norm_eps": layerNormEpsilon,
            "pad_token_id": paddingID, "position_embedding_type": "absolute",
        ]
    }
}
