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

    public init() {}

    /// Rotary positions have no end.
    public var positionLimit: Int? { nil }

    /// Reads and checks the fields.
    /// - Throws: ``ConfigurationError/badValue(file:key:found:expected:)`` naming the field.
    public init(_ file: ConfigurationFile) throws {
        family = try file.choice("model_type", default: Family.llama)
        let defaults = family.defaults
        vocabularySize = try file.positive("vocab_size", default: defaults.vocabularySize)
        hiddenSize = try file.positive("hidden_size", default: hiddenSize)
        intermediateSize = try file.positive(
            "intermediate_size", default: defaults.intermediateSize)
        layers = try file.positive("num_hidden_layers", default: layers)
        heads = try file.positive("num_attention_heads", default: heads)
        keyValueHeads = try file.positive(
            "num_key_value_heads",
            default: file.isNull("num_key_value_heads") ? heads : defaults.keyValueHeads ?? heads)
        headSize = try file.positive("head_dim", default: defaults.headSize ?? hiddenSize / heads)
        activation = try file.choice("hidden_act", default: activation)
        maximumPositions = try file.positive(
            "max_position_embeddings", default: defaults.maximumPositions)
        initializerRange = try file.number("initializer_range") ?? initializerRange
        normEpsilon = try file.number("rms_norm_eps") ?? normEpsilon
        sharesEmbedding = try file.flag("tie_word_embeddings") ?? false
        attentionDropout = try file.probability("attention_dropout", default: 0)
        try readBiases(file)
        windows = try Self.windows(file, family, layers: layers)
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

    private static func windows(
        _ file: ConfigurationFile, _ family: Family, layers: Int
    ) throws -> [Int?] {
        let none = [Int?](repeating: nil, count: layers)
        func window() throws -> Int? {
            if file.isNull("sliding_window") { return nil }
            return try file.positive("sliding_window", default: 4096)
        }
        switch family {
        case .llama: return none
        case .mistral:
            let window = try window()
            return none.map { _ in window }
        case .qwen2, .qwen3:
            guard try file.flag("use_sliding_window") ?? false else { return none }
            let window = try window()
            if let types = try layerTypes(file, layers: layers) {
                return types.map { $0 == "sliding_attention" ? window : nil }
            }
            let first = try file.integer("max_window_layers") ?? 28
            return none.indices.map { $0 >= first ? window : nil }
        }
    }

    private static func layerTypes(_ file: ConfigurationFile, layers: Int) throws -> [String]? {
        guard let value = file.fields["layer_types"] else { return nil }
        let known = ["full_attention", "sliding_attention"]
        guard let types = value as? [String], types.count == layers,
            types.allSatisfy(known.contains)
        else {
            throw file.bad(
                "layer_types", found: "\(value)",
                expected: "\(layers) of \(known.joined(separator: " or "))")
        }
        return types
    }

    private func check(_ file: ConfigurationFile) throws {
        guard hiddenSize % heads == 0 || file.fields["head_dim"] != nil else {
            throw file.bad(
                "hidden_size", found: "\(hiddenSize)",
                expected: "a multiple of num_attention_heads, \(heads)")
        }
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
