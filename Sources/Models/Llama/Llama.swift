import DualModules
import DualTorch

// LLaMA: Touvron et al. 2023, arXiv:2302.13971; grouped queries: arXiv:2305.13245. Mistral and Qwen
// are the same but for what their configuration says. Reference: transformers' `modeling_llama.py`.
// Letters in shapes: B batch, T tokens, H query heads, G key and value heads, D head size, E hidden
// size.

/// What the layers of one forward pass share.
private struct LlamaPass {
    let rows: DecoderPass
    let rotary: RotaryTable
    /// By layer.
    let visible: [VisibleKeys]
    let cache: KeyValueCache?
    let mode: ForwardMode
}

/// Causal self-attention with grouped heads and rotary positions.
final class LlamaAttention {
    let query, key, value, output: Linear
    /// Norms of each head's queries and keys, in Qwen3.
    private let queryNorm, keyNorm: RMSNorm?
    private let configuration: LlamaConfiguration
    private let layer: Int

    init(_ scope: WeightScope, _ configuration: LlamaConfiguration, layer: Int) throws {
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
        self.layer = layer
    }

    fileprivate func callAsFunction(
        _ x: Tensor, _ pass: LlamaPass, prefix: LayerPrefix?
    ) throws -> Tensor {
        let (B, T, D) = (x.size(0), x.size(1), configuration.headSize)
        let projected = try Linear.together([query, key, value], x, mode: pass.mode)
        func heads(_ index: Int, _ count: Int, _ norm: RMSNorm?, _ shape: [Int]) throws -> Tensor {
            let split = try projected[index].reshaped(shape + [count, D])
            return try norm.map { try $0(split) } ?? split
        }
        if T == 1, prefix == nil, let cache = pass.cache, !pass.mode.isTraining,
            let mixed = try cache.attend(
                layer, heads(0, configuration.heads, queryNorm, [B]),
                heads(1, configuration.keyValueHeads, keyNorm, [B]),
                heads(2, configuration.keyValueHeads, nil, [B]), rotary: pass.rotary,
                window: configuration.windows[layer])
        {
            return try output(mixed.reshaped(B, 1, configuration.heads * D), mode: pass.mode)
        }
        func turned(_ index: Int, _ count: Int, _ norm: RMSNorm?) throws -> Tensor {
            try pass.rotary(heads(index, count, norm, [B, T]))
        }
        var q = try turned(0, configuration.heads, queryNorm)  // (B, H, T, D)
        var k = try turned(1, configuration.keyValueHeads, keyNorm)  // (B, G, T, D)
        var v = try heads(2, configuration.keyValueHeads, nil, [B, T]).transposed(1, 2)
        if let prefix { (q, k, v) = try prefix.before(q, k, v) }  // T' for T
        if let cache = pass.cache { (k, v) = try cache.extend(layer, k, v) }  // (B, G, S, D)
        var mixed = try attendCausally(
            q, k, v, visible: pass.visible[layer],
            dropout: configuration.attentionDropout, mode: pass.mode)
        if let prefix { mixed = try prefix.own(of: mixed) }  // (B, H, T, D)
        return try output(
            mixed.transposed(1, 2).reshaped(B, T, configuration.heads * D), mode: pass.mode)
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
        let parts = try Linear.together([gate, up], x, mode: mode)
        return try down(activation(parts[0], gating: parts[1]), mode: mode)
    }
}

/// One block: attention and feed-forward, each behind a norm and beside a residual.
final class LlamaBlock {
    let attention: LlamaAttention
    let feedForward: LlamaFeedForward
    let end: BlockEnd
    private let attentionNorm, feedForwardNorm: RMSNorm

    init(_ scope: WeightScope, _ configuration: LlamaConfiguration, layer: Int) throws {
        let (size, epsilon) = (configuration.hiddenSize, configuration.normEpsilon)
        attentionNorm = try RMSNorm(scope / "input_layernorm", size: size, epsilon: epsilon)
        attention = try LlamaAttention(scope / "self_attn", configuration, layer: layer)
        feedForwardNorm = try RMSNorm(
            scope / "post_attention_layernorm", size: size, epsilon: epsilon)
        feedForward = try LlamaFeedForward(scope / "mlp", configuration)
        end = BlockEnd(path: scope.path, beside: attentionNorm.weight)
    }

    /// - Parameter input: the stream and the branch of the block before, which the first norm adds.
    /// - Returns: the stream and this block's branch, which whoever comes next adds.
    fileprivate func callAsFunction(
        _ input: ResidualStream, _ pass: LlamaPass, prefix: LayerPrefix?
    ) throws -> ResidualStream {
        let (before, normed) = try attentionNorm(adding: input.branch, to: input.stream)
        let attended = try attention(normed, pass, prefix: prefix)
        let (between, renormed) = try feedForwardNorm(adding: attended, to: before)
        let output = ResidualStream(between, branch: try feedForward(renormed, mode: pass.mode))
        return try end(output, at: pass.rows.places, mode: pass.mode)
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

/// A decoder of the LLaMA family with, where the checkpoint has one, its head.
public final class Llama: CausalModel {
    public let configuration: LlamaConfiguration
    public let parameters: [Parameter]
    public let computeType: DType
    public let head: Linear?
    public let slots: AdapterSlots
    let embedding: Embedding
    let blocks: [LlamaBlock]
    private let norm: RMSNorm

    /// - Parameters:
    ///   - source: gives the weights; names are those of `LlamaForCausalLM`.
    ///   - hasHead: whether there is a head besides the embedding, which a head may share.
    ///   - computeType: what activations are computed in.
    public init(
        _ source: WeightSource, _ configuration: LlamaConfiguration, hasHead: Bool,
        computeType: DType
    ) throws {
        let body = source.root / "model"
        let (size, vocabulary) = (configuration.hiddenSize, configuration.vocabularySize)
        embedding = try Embedding(
            body / "embed_tokens", count: vocabulary, size: size,
            deviation: configuration.initializerRange)
        blocks = try (0..<configuration.layers).map {
            try LlamaBlock(body / "layers" / $0, configuration, layer: $0)
        }
        norm = try RMSNorm(body / "norm", size: size, epsilon: configuration.normEpsilon)
        head =
            if configuration.sharesEmbedding {
                Linear(path: "lm_head", sharing: embedding.weight)
            } else if hasHead {
                try Linear(
                    source.root / "lm_head", from: size, to: vocabulary, bias: false,
                    deviation: configuration.initializerRange)
            } else {
                nil
            }
        self.configuration = configuration
        self.computeType = computeType
        parameters = source.parameters
        slots = AdapterSlots(
            linears: blocks.flatMap(\.linears), blocks: blocks.map(\.end),
            blockLayers: blocks.map(\.layers),
            prefix: PrefixSlot(
                layers: configuration.layers, heads: configuration.keyValueHeads,
                headSize: configuration.headSize),
            prompt: PromptSlot(
                words: embedding.weight, layers: configuration.layers, heads: configuration.heads),
            parameters: parameters,
            tiedHead: TiedHead(head, embedding: embedding.weight),
            defaultTargets: ["q_proj", "v_proj"], bodyPrefix: "model.")
    }

    public var className: String { configuration.family.className }

    /// Rotary positions have no end.
    public var maximumLength: Int? { nil }

    public var vocabularySize: Int { configuration.vocabularySize }

    public func hiddenStates(
        _ ids: Tensor, layout: BatchLayout, cache: KeyValueCache?, mode: ForwardMode
    ) throws -> Tensor {
        let rows = try DecoderPass(
            slots, ids: ids, layout: layout, past: cache?.count ?? 0, dtype: computeType,
            mode: mode)
        let (positions, length) = try rows.positions()
        var known: [Int?: VisibleKeys] = [:]
        let visible = configuration.windows.map { window in
            let keys = known[window] ?? rows.visibleKeys(window: window)
            known[window] = keys
            return keys
        }
        let pass = LlamaPass(
            rows: rows,
            rotary: try configuration.rotary.table(
                positions: positions, length: length, dtype: computeType),
            visible: visible, cache: cache, mode: mode)
        let embedded = try rows.withPrompt(embedding(ids)).to(computeType)  // (B, T, E)
        let last = try zip(blocks.indices, blocks).reduce(ResidualStream(embedded)) { x, next in
            let (layer, block) = next
            return try mode.running(x, with: rows.prefix?[layer] ?? []) {
                try block($0, pass, prefix: rows.prefix?.placed($1))
            }
        }
        let hidden = try norm(adding: last.branch, to: last.stream).normed
        cache?.advance(by: rows.attendedCount)
        return try rows.withoutPrompt(hidden)
    }

    public func makeCache(leftPadding: [Int], capacity: Int) throws -> KeyValueCache {
        try KeyValueCache(
            layers: configuration.layers, heads: configuration.keyValueHeads,
            headSize: configuration.headSize, leftPadding: leftPadding,
            capacity: capacity + slots.virtualTokens, dtype: computeType,
            device: embedding.weight.value.device)
    }
}
