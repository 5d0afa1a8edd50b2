import DualModules
import DualTorch
import Foundation

/// The fields of a `config.json` of the LLaMA family that matter to the computation.
///
/// Reference: transformers' `LlamaConfig`, `MistralConfig`, `Qwen2Config` and `Qwen3Config`, whose
/// defaults these are. ``Family`` tells the families apart.
public struct LlamaConfiguration: DecoderConfiguration {
    /// The families that share the architecture, by `model_type`.
    public enum Family: String, CaseIterable, Sendable {
        case llama, mistral, qwen2, qwen3
    }

    public var family = Family.llama
    public var vocabularySize = 32000
    public var hiddenSize = 4096
    public var intermediateSize = 11008
    public var layers = 32
    public var heads = 32
    /// Heads of keys and values, each shared by an equal number of query heads.
    public var keyValueHeads = 32
    public var headSize = 128
    public var activation = Activation.silu
    public var maximumPositions = 2048
    public var initializerRange = 0.02
    public var normEpsilon = 1e-6
    public var sharesEmbedding = false
    public var attentionDropout = 0.0
    /// Whether the projections of queries, keys and values have biases.
    public var queryKeyValueBias = false
    public var outputBias = false
    public var intermediateBias = false
    /// Whether queries and keys are normalised, head by head.
    public var normalizesQueriesAndKeys = false
    /// How many tokens, its own counted, a token sees in each layer; nil for all before it.
    public var windows: [Int?] = [Int?](repeating: nil, count: 32)
    public var rotary = RotaryEmbedding(headSize: 128, base: 10000)
    /// The token whose embedding does not learn; nil where all do.
    public var frozenToken: Int?

    public init() {}

    /// Rotary positions have no end.
    public var positionLimit: Int? { nil }

    /// Reads and checks the fields.
    /// - Throws: ``ConfigurationError/badValue(file:key:found:expected:)`` naming the field.
    public init(_ file: ConfigurationFile) throws {
        family = try file.choice("model_type", default: Family.llama)
        let defaults = family.defaults
        vocabularySize = try file.size("vocab_size", default: defaults.vocabularySize)
        hiddenSize = try file.size("hidden_size", default: hiddenSize)
        intermediateSize = try file.size(
            "intermediate_size", default: defaults.intermediateSize)
        layers = try file.layerCount("num_hidden_layers", default: layers)
        heads = try file.size("num_attention_heads", default: heads)
        keyValueHeads = try file.size(
            "num_key_value_heads",
            default: file.isNull("num_key_value_heads") ? heads : defaults.keyValueHeads ?? heads)
        let sharedSize = try defaults.headSize ?? self.sharedSize(file)
        headSize = try file.size("head_dim", default: sharedSize)
        activation = try file.choice("hidden_act", default: activation)
        maximumPositions = try file.size(
            "max_position_embeddings", default: defaults.maximumPositions)
        initializerRange = try file.number("initializer_range") ?? initializerRange
        normEpsilon = try file.number("rms_norm_eps") ?? normEpsilon
        sharesEmbedding = try file.flag("tie_word_embeddings") ?? false
        attentionDropout = try file.probability("attention_dropout", default: 0)
        frozenToken = try file.integer("pad_token_id").flatMap {
            let row = $0 < 0 ? vocabularySize + $0 : $0
            return 0..<vocabularySize ~= row ? row : nil
        }
        try readBiases(file)
        windows = try readWindows(file)
        try check(file)
        rotary = RotaryEmbedding(
            headSize: headSize, base: try file.rotaryBase(),
            scaling: try file.rotaryScaling(maximumPositions: maximumPositions))
    }

    private mutating func readBiases(_ file: ConfigurationFile) throws {
        switch family {
        case .llama:
            queryKeyValueBias = try file.flag("attention_bias") ?? false
            outputBias = queryKeyValueBias
            intermediateBias = try file.flag("mlp_bias") ?? false
        case .mistral: break
        case .qwen2: queryKeyValueBias = true
        case .qwen3:
            queryKeyValueBias = try file.flag("attention_bias") ?? false
            outputBias = queryKeyValueBias
            normalizesQueriesAndKeys = true
        }
    }

    /// The size of a head where no field gives it.
    private func sharedSize(_ file: ConfigurationFile) throws -> Int {
        guard hiddenSize % heads == 0 || file.fields["head_dim"] != nil else {
            throw file.bad(
                "hidden_size", found: "\(hiddenSize)",
                expected: "a multiple of num_attention_heads, \(heads)")
        }
        return max(1, hiddenSize / heads)
    }

    private func readWindows(_ file: ConfigurationFile) throws -> [Int?] {
        let none = [Int?](repeating: nil, count: layers)
        let usesWindow: Bool
        switch family {
        case .llama:
            try file.refuseWindows(positions: maximumPositions)
            return none
        case .mistral: usesWindow = true
        case .qwen2, .qwen3: usesWindow = try file.flag("use_sliding_window") ?? false
        }
        let window =
            usesWindow && !file.isNull("sliding_window")
            ? try file.size("sliding_window", default: 4096) : nil
        if let slides = try file.slidingLayers(count: layers, window: window) {
            return slides.map { $0 ? window : nil }
        }
        // The reference's Mistral has its window in every layer.
        let first = family == .mistral ? 0 : try file.integer("max_window_layers") ?? 28
        return none.indices.map { $0 >= first ? window : nil }
    }

    private func check(_ file: ConfigurationFile) throws {
        try file.refuse(UnsupportedKey.ofDecoders)
        guard heads % keyValueHeads == 0 else {
            throw file.bad(
                "num_key_value_heads", found: "\(keyValueHeads)",
                expected: "a divisor of num_attention_heads, \(heads)")
        }
        guard headSize % 2 == 0 else {
            throw file.bad("head_dim", found: "\(headSize)", expected: "even, for rotary positions")
        }
        guard normEpsilon >= 0 else {
            throw file.bad("rms_norm_eps", found: "\(normEpsilon)", expected: "at least 0")
        }
    }
}

extension LlamaConfiguration.Family {
    /// The beginning of the names of the reference's classes (`Qwen2` of `Qwen2ForCausalLM`).
    var classPrefix: String { rawValue.prefix(1).uppercased() + rawValue.dropFirst() }

    /// The defaults that are not the same in all families.
    fileprivate var defaults:
        (
            vocabularySize: Int, intermediateSize: Int, keyValueHeads: Int?, headSize: Int?,
            maximumPositions: Int
        )
    {
        switch self {
        case .llama: (32000, 11008, nil, nil, 2048)
        case .mistral: (32000, 14336, 8, nil, 131072)
        case .qwen2: (151936, 22016, 32, nil, 32768)
        case .qwen3: (151936, 22016, 32, 128, 32768)
        }
    }
}
