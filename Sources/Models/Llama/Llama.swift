import DualModules
import DualTorch

// LLaMA: Touvron et al. 2023, arXiv:2302.13971; grouped queries: arXiv:2305.13245. Mistral and Qwen
// are the same but for what their configuration says. Reference: transformers' `modeling_llama.py`.
// Letters in shapes: B batch, T tokens, H query heads, G key and value heads, D head size, E hidden
// size.

/// Causal self-attention with grouped heads and rotary positions.
final class LlamaAttention {
    let query, key, value, output: Linear
    /// Norms of each head's queries and keys, in Qwen3.
    private let queryNorm, keyNorm: RMSNorm?
    private let configuration: LlamaConfiguration

    init(_ scope: WeightScope, _ configuration: LlamaConfiguration) throws {
        let (E, D) = (configuration.hiddenSize, configuration.headSize)
        func projection(_ name: String, heads: Int) throws -> Linear {
            try Linear(
                scope / name, from: E, to: heads * D, bias: configuration.queryKeyValueBias,
                deviation: configuration.initializerRange)
        }
        query = try projection("q_proj", heads: configuration.heads)
        key = try projection("k_proj", heads: configuration.keyValueHeads)
        value = try projection("v_proj", heads: configuration.keyValueHeads)
        output = try Linear(
            scope / "o_proj", from: configuration.heads * D, to: E, bias: configuration.outputBias,
            deviation: configuration.initializerRange)
        func norm(_ name: String) throws -> RMSNorm? {
            guard configuration.normalizesQueriesAndKeys else { return nil }
            return try RMSNorm(scope / name, size: D, epsilon: configuration.normEpsilon)
        }
        queryNorm = try norm("q_norm")
        keyNorm = try norm("k_norm")
        self.configuration = configuration
    }

    /// (B, T, E) to (B, T, E).
    func callAsFunction(_ x: Tensor, _ layer: DecoderPass.Layer) throws -> Tensor {
        let (B, T, D) = (x.size(0), x.size(1), configuration.headSize)
        let projected = try Linear.together([query, key, value], x, mode: layer.mode)
        func heads(_ index: Int, _ count: Int, _ norm: RMSNorm?) throws -> Tensor {
            let split = try projected[index].reshaped(B, T, count, D)
            return try norm.map { try $0(split) } ?? split
        }
        let q = try heads(0, configuration.heads, queryNorm)  // (B, T, H, D)
        let k = try heads(1, configuration.keyValueHeads, keyNorm)  // (B, T, G, D)
        let v = try heads(2, configuration.keyValueHeads, nil)
        let mixed = try layer.attention(q, k, v, dropout: configuration.attentionDropout)
        return try output(mixed, mode: layer.mode)
    }
}

/// Two layers with a gate: W₂ (act(W₁ x) ⊙ W₃ x). Shazeer 2020, arXiv:2002.05202.
final class LlamaFeedForward {
    let gate, up, down: Linear
    private let activation: Activation

    init(_ scope: WeightScope, _ configuration: LlamaConfiguration) throws {
        let (size, inner) = (configuration.hiddenSize, configuration.intermediateSize)
        func layer(_ name: String, from: Int, to: Int) throws -> Linear {
            try Linear(
                scope / name, from: from, to: to, bias: configuration.intermediateBias,
                deviation: configuration.initializerRange)
        }
        gate = try layer("gate_proj", from: size, to: inner)
        up = try layer("up_proj", from: size, to: inner)
        down = try layer("down_proj", from: inner, to: size)
        activation = configuration.activation
    }

    func callAsFunction(_ x: Tensor, mode: ForwardMode) throws -> Tensor {
        let projected = try Linear.together([gate, up], x, mode: mode)
        return try down(activation(projected[0], gating: projected[1]), mode: mode)
    }
}

/// One block: attention and feed-forward, each behind a norm and beside a residual.
final class LlamaBlock: TransformerBlock {
    let attention: LlamaAttention
    let feedForward: LlamaFeedForward
    let end: BlockEnd
    private let attentionNorm, feedForwardNorm: RMSNorm

    init(_ scope: WeightScope, _ configuration: LlamaConfiguration) throws {
        let (size, epsilon) = (configuration.hiddenSize, configuration.normEpsilon)
        attentionNorm = try RMSNorm(scope / "input_layernorm", size: size, epsilon: epsilon)
        attention = try LlamaAttention(scope / "self_attn", configuration)
        feedForwardNorm = try RMSNorm(
            scope / "post_attention_layernorm", size: size, epsilon: epsilon)
        feedForward = try LlamaFeedForward(scope / "mlp", configuration)
        end = BlockEnd(path: scope.path, beside: attentionNorm.weight)
    }

    func callAsFunction(
        _ input: ResidualStream, _ layer: DecoderPass.Layer
    ) throws -> ResidualStream {
        let (before, normed) = try attentionNorm(adding: input.branch, to: input.stream)
        let attended = try attention(normed, layer)
        let (between, renormed) = try feedForwardNorm(adding: attended, to: before)
        return ResidualStream(between, branch: try feedForward(renormed, mode: layer.mode))
    }

    var linears: [Linear] {
        [
            attention.query, attention.key, attention.value, attention.output, feedForward.gate,
            feedForward.up, feedForward.down,
        ]
    }

    var layers: BlockLayers {
        BlockLayers(
            attentionOutput: attention.output, feedForwardInput: feedForward.up,
            feedForwardOutput: feedForward.down)
    }
}

/// The body of the LLaMA family: an embedding of words, blocks, a last norm.
public final class LlamaBody: DecoderBody {
    public let configuration: LlamaConfiguration
    public let words: Embedding
    public let blocks: [any TransformerBlock<DecoderPass.Layer>]
    private let norm: RMSNorm

    public init(_ scope: WeightScope, _ configuration: LlamaConfiguration) throws {
        let size = configuration.hiddenSize
        words = try Embedding(
            scope / "embed_tokens", count: configuration.vocabularySize, size: size,
            deviation: configuration.initializerRange, frozenRow: configuration.frozenToken)
        blocks = try (0..<configuration.layers).map {
            try LlamaBlock(scope / "layers" / $0, configuration)
        }
        norm = try RMSNorm(scope / "norm", size: size, epsilon: configuration.normEpsilon)
        self.configuration = configuration
    }

    public var rotary: RotaryEmbedding? { configuration.rotary }

    public var windows: [Int?] { configuration.windows }

    public func embedded(_ ids: Tensor, _ pass: DecoderPass) throws -> Tensor {
        try pass.withPrompt(words(ids)).to(pass.dtype)
    }

    public func normalized(_ output: ResidualStream) throws -> Tensor {
        try norm(adding: output.branch, to: output.stream).normed
    }
}

/// A decoder of the LLaMA family.
public typealias Llama = Decoder<LlamaBody>

extension LlamaConfiguration {
    public var names: ArchitectureNames {
        ArchitectureNames(
            bareClass: family.classPrefix + "Model", headClass: family.classPrefix + "ForCausalLM",
            bodyPrefix: "model.", wordsPath: "model.embed_tokens",
            tiedNames: sharesEmbedding ? ["lm_head.weight"] : [], blocksPath: "model.layers",
            headPath: "lm_head", defaultTargets: ["q_proj", "v_proj"],
            unneededEndings: ["rotary_emb.inv_freq"])
    }
}
