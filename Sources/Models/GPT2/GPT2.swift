import DualModules
import DualTorch
import Foundation

// GPT-2: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners". Reference:
// transformers' `modeling_gpt2.py`. Letters in shapes: B batch, T tokens, H heads, D head size, E
// hidden size.

/// What the layers of one forward pass share.
private struct GPT2Pass {
    let rows: DecoderPass
    let visible: VisibleKeys
    let cache: KeyValueCache?
    let mode: ForwardMode
}

/// A layer whose weight the checkpoint keeps as (in, out): the reference's `Conv1D`.
private func transposedLinear(
    _ scope: WeightScope, from inputSize: Int, to outputSize: Int, deviation: Double
) throws -> Linear {
    try Linear(
        scope, from: inputSize, to: outputSize, deviation: deviation, storage: .transposed)
}

/// Causal self-attention; queries, keys and values come from one matrix.
final class GPT2Attention {
    /// (3 E, E): the thirds are queries, keys, values.
    let joint: Linear
    let output: Linear
    private let configuration: GPT2Configuration
    private let layer: Int

    init(_ scope: WeightScope, _ configuration: GPT2Configuration, layer: Int) throws {
        let (size, deviation) = (configuration.hiddenSize, configuration.initializerRange)
        joint = try transposedLinear(
            scope / "c_attn", from: size, to: 3 * size, deviation: deviation)
        // The reference scales what is added to the residual down by the number of additions.
        output = try transposedLinear(
            scope / "c_proj", from: size, to: size,
            deviation: deviation / Double(2 * configuration.layers).squareRoot())
        self.configuration = configuration
        self.layer = layer
    }

    fileprivate func callAsFunction(
        _ x: Tensor, _ pass: GPT2Pass, prefix: LayerPrefix?
    ) throws -> Tensor {
        let (B, T, E) = (x.size(0), x.size(1), x.size(2))
        let joined = try joint(x, mode: pass.mode)  // (B, T, 3 E)
        if prefix == nil, let mixed = try decoded(joined, pass) {
            return try output(mixed, mode: pass.mode)
        }
        func third(_ index: Int) throws -> Tensor {
            try joined.slice(index * E..<(index + 1) * E, along: 2)
                .reshaped(B, T, configuration.heads, configuration.headSize).transposed(1, 2)
        }
        var q = try third(0)  // (B, H, T, D)
        var (k, v) = (try third(1), try third(2))
        if let prefix { (q, k, v) = try prefix.before(q, k, v) }  // T' for T
        if let cache = pass.cache { (k, v) = try cache.extend(layer, k, v) }  // (B, H, S, D)
        var mixed = try attendCausally(
            q, k, v, visible: pass.visible, scale: configuration.scale(layer: layer),
            dropout: configuration.attentionDropout, mode: pass.mode)
        if let prefix { mixed = try prefix.own(of: mixed) }  // (B, H, T, D)
        let projected = try output(mixed.transposed(1, 2).reshaped(B, T, E), mode: pass.mode)
        return try pass.mode.dropping(projected, probability: configuration.residualDropout)
    }
}

extension GPT2Attention {
    /// What one new token a row takes from the cache (B, 1, E), in one call; nil where that does not
    /// go.
    fileprivate func decoded(_ joined: Tensor, _ pass: GPT2Pass) throws -> Tensor? {
        guard joined.size(1) == 1, let cache = pass.cache, !pass.mode.isTraining else { return nil }
        let (B, E) = (joined.size(0), configuration.hiddenSize)
        let thirds = try joined.reshaped(B, 3, configuration.heads, configuration.headSize)
        let mixed = try cache.attend(
            layer, thirds.selecting(0, along: 1), thirds.selecting(1, along: 1),
            thirds.selecting(2, along: 1), rotary: nil, window: nil,
            scale: configuration.scale(layer: layer))
        return try mixed?.reshaped(B, 1, E)
    }
}

/// One block: attention and feed-forward, each behind a norm and beside a residual.
final class GPT2Block {
    let attention: GPT2Attention
    let inner, output: Linear
    let end: BlockEnd
    private let attentionNorm, feedForwardNorm: LayerNorm
    private let configuration: GPT2Configuration

    init(_ scope: WeightScope, _ configuration: GPT2Configuration, layer: Int) throws {
        let (size, intermediate) = (configuration.hiddenSize, configuration.intermediateSize)
        let (epsilon, deviation) = (configuration.normEpsilon, configuration.initializerRange)
        attentionNorm = try LayerNorm(scope / "ln_1", size: size, epsilon: epsilon)
        attention = try GPT2Attention(scope / "attn", configuration, layer: layer)
        feedForwardNorm = try LayerNorm(scope / "ln_2", size: size, epsilon: epsilon)
        inner = try transposedLinear(
            scope / "mlp" / "c_fc", from: size, to: intermediate, deviation: deviation)
        output = try transposedLinear(
            scope / "mlp" / "c_proj", from: intermediate, to: size,
            deviation: deviation / Double(2 * configuration.layers).squareRoot())
        end = BlockEnd(path: scope.path, beside: attentionNorm.weight)
        self.configuration = configuration
    }

    /// - Parameter input: the stream and the branch of the block before, which the first norm adds.
    /// - Returns: the stream and this block's branch, which whoever comes next adds.
    fileprivate func callAsFunction(
        _ input: ResidualStream, _ pass: GPT2Pass, prefix: LayerPrefix?
    ) throws -> ResidualStream {
        let (before, normed) = try attentionNorm(adding: input.branch, to: input.stream)
        let attended = try attention(normed, pass, prefix: prefix)
        let (between, renormed) = try feedForwardNorm(adding: attended, to: before)
        let activated = try configuration.activation(inner(renormed, mode: pass.mode))
        let projected = try output(activated, mode: pass.mode)
        let output = ResidualStream(
            between,
            branch: try pass.mode.dropping(
                projected, probability: configuration.residualDropout))
        return try end(output, at: pass.rows.places, mode: pass.mode)
    }

    var linears: [Linear] { [attention.joint, attention.output, inner, output] }

    var layers: BlockLayers {
        BlockLayers(
            attentionOutput: attention.output, feedForwardInput: inner, feedForwardOutput: output)
    }
}

/// A GPT-2 decoder with its head.
public final class GPT2: CausalModel {
    public let configuration: GPT2Configuration
    public let parameters: [Parameter]
    public let computeType: DType
    public let head: Linear?
    public let slots: AdapterSlots
    let words, places: Embedding
    let blocks: [GPT2Block]
    private let norm: LayerNorm

    /// - Parameters:
    ///   - source: gives the weights; names are those of `GPT2LMHeadModel`.
    ///   - hasHead: whether there is a head besides the embedding, which a head may share.
    ///   - computeType: what activations are computed in.
    public init(
        _ source: WeightSource, _ configuration: GPT2Configuration, hasHead: Bool,
        computeType: DType
    ) throws {
        let body = source.root / "transformer"
        let (size, vocabulary) = (configuration.hiddenSize, configuration.vocabularySize)
        let deviation = configuration.initializerRange
        words = try Embedding(body / "wte", count: vocabulary, size: size, deviation: deviation)
        places = try Embedding(
            body / "wpe", count: configuration.maximumPositions, size: size, deviation: deviation)
        blocks = try (0..<configuration.layers).map {
            try GPT2Block(body / "h" / $0, configuration, layer: $0)
        }
        norm = try LayerNorm(body / "ln_f", size: size, epsilon: configuration.normEpsilon)
        head =
            if configuration.sharesEmbedding {
                Linear(path: "lm_head", sharing: words.weight)
            } else if hasHead {
                try Linear(
                    source.root / "lm_head", from: size, to: vocabulary, bias: false,
                    deviation: deviation)
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
                layers: configuration.layers, heads: configuration.heads,
                headSize: configuration.headSize),
            prompt: PromptSlot(
                words: words.weight, layers: configuration.layers, heads: configuration.heads),
            parameters: parameters,
            tiedHead: TiedHead(head, embedding: words.weight),
            defaultTargets: ["c_attn"], bodyPrefix: "transformer.")
    }

    public let className = "GPT2LMHeadModel"

    public var maximumLength: Int? { max(0, configuration.maximumPositions - slots.virtualTokens) }

    public var vocabularySize: Int { configuration.vocabularySize }

    public func hiddenStates(
        _ ids: Tensor, layout: BatchLayout, cache: KeyValueCache?, mode: ForwardMode
    ) throws -> Tensor {
        let rows = try DecoderPass(
            slots, ids: ids, layout: layout, past: cache?.count ?? 0, dtype: computeType,
            mode: mode)
        let (positions, length) = try rows.positions()
        guard length <= configuration.maximumPositions else {
            throw ModelError.tooLong(tokens: length, limit: configuration.maximumPositions)
        }
        let pass = GPT2Pass(
            rows: rows, visible: rows.visibleKeys(window: nil), cache: cache, mode: mode)
        // (B, T, E)
        let sum = try (rows.withPrompt(words(ids)) + places(positions)).to(computeType)
        let embedded = try mode.dropping(sum, probability: configuration.embeddingDropout)
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
            layers: configuration.layers, heads: configuration.heads,
            headSize: configuration.headSize, leftPadding: leftPadding,
            capacity: capacity + slots.virtualTokens, dtype: computeType,
            device: words.weight.value.device)
    }
}
