import DualModules
import Foundation

/// The fields of a GPT-2 `config.json` that matter to the computation. Reference: transformers'
/// `GPT2Config`, whose defaults these are.
public struct GPT2Configuration: DecoderConfiguration {
    public var vocabularySize = 50257
    public var hiddenSize = 768
    public var layers = 12
    public var heads = 12
    public var intermediateSize = 3072
    public var activation = Activation.geluNew
    public var maximumPositions = 1024
    public var embeddingDropout = 0.1
    public var attentionDropout = 0.1
    /// Dropout of the branches that attention and feed-forward add to the stream.
    public var residualDropout = 0.1
    public var initializerRange = 0.02
    public var normEpsilon = 1e-5
    public var sharesEmbedding = true
    /// Whether scores are divided by √D.
    public var scalesScores = true
    /// Whether scores are divided by the number of the layer, from 1.
    public var scalesScoresByLayer = false

    public init() {}

    public var headSize: Int { hiddenSize / heads }

    public var positionLimit: Int? { maximumPositions }

    /// Reads and checks the fields, each also under its name in other architectures.
    /// - Throws: ``ConfigurationError/badValue(file:key:found:expected:)`` naming the field.
    public init(_ file: ConfigurationFile) throws {
        // Of two spellings the reference takes the general one.
        func key(_ name: String, _ alias: String) -> String {
            file.fields[alias] == nil ? name : alias
        }
        func size(_ name: String, _ alias: String, _ fallback: Int) throws -> Int {
            try file.size(key(name, alias), default: fallback)
        }
        vocabularySize = try file.size("vocab_size", default: vocabularySize)
        hiddenSize = try size("n_embd", "hidden_size", hiddenSize)
        layers = try file.layerCount(key("n_layer", "num_hidden_layers"), default: layers)
        heads = try size("n_head", "num_attention_heads", heads)
        maximumPositions = try size("n_positions", "max_position_embeddings", maximumPositions)
        intermediateSize = try file.size("n_inner", default: 4 * hiddenSize)
        activation = try file.choice("activation_function", default: activation)
        embeddingDropout = try file.probability("embd_pdrop", default: embeddingDropout)
        attentionDropout = try file.probability("attn_pdrop", default: attentionDropout)
        residualDropout = try file.probability("resid_pdrop", default: residualDropout)
        initializerRange = try file.number("initializer_range") ?? initializerRange
        normEpsilon = try file.number("layer_norm_epsilon") ?? normEpsilon
        sharesEmbedding = try file.flag("tie_word_embeddings") ?? sharesEmbedding
        scalesScores = try file.flag("scale_attn_weights") ?? scalesScores
        scalesScoresByLayer =
            try file.flag("scale_attn_by_inverse_layer_idx") ?? scalesScoresByLayer
        try check(file)
    }

    private func check(_ file: ConfigurationFile) throws {
        try file.refuse(UnsupportedKey.ofDecoders)
        try file.refuse([UnsupportedKey("add_cross_attention", unless: .no)])
        try file.refuseWindows(positions: maximumPositions)
        guard hiddenSize % heads == 0 else {
            throw file.bad(
                "n_embd", found: "\(hiddenSize)", expected: "a multiple of n_head, \(heads)")
        }
        guard normEpsilon >= 0 else {
            throw file.bad("layer_norm_epsilon", found: "\(normEpsilon)", expected: "at least 0")
        }
    }

    /// What the scores of a layer are multiplied by.
    func scale(layer: Int) -> Double {
        let scale = scalesScores ? 1 / Double(headSize).squareRoot() : 1
        return scalesScoresByLayer ? scale / Double(layer + 1) : scale
    }
}
