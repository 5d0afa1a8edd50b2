import DualModules
import DualTorch

// GPT-2: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners". Reference:
// transformers' `modeling_gpt2.py`. Letters in shapes: B batch, T tokens, H heads, D head size, E
// hidden size.

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
    /// What the layer's scores are multiplied by.
    private let scale: Double

    init(_ scope: WeightScope, _ configuration: GPT2Configuration, layer: Int) throws {
        let (size, deviation) = (configuration.hiddenSize, configuration.initializerRange)
        joint = try transposedLinear(
            scope / "c_attn", from: size, to: 3 * size, deviation: deviation)
        // The reference scales what is added to the residual down by the number of additions.
        output = try transposedLinear(
            scope / "c_proj", from: size, to: size,
            deviation: deviation / Double(2 * configuration.layers).squareRoot())
        self.configuration = configuration
        scale = configuration.scale(layer: layer)
    }

    /// (B, T, E) to (B, T, E).
    func callAsFunction(_ x: Tensor, _ layer: DecoderPass.Layer) throws -> Tensor {
        let (B, T, E) = (x.size(0), x.size(1), x.size(2))
        let joined = try joint(x, mode: layer.mode)  // (B, T, 3 E)
        func third(_ index: Int) throws -> Tensor {
            try joined.slice(index * E..<(index + 1) * E, along: 2)
                .reshaped(B, T, configuration.heads, configuration.headSize)
        }
        let (q, k, v) = (try third(0), try third(1), try third(2))  // (B, T, H, D)
        let mixed = try layer.attention(
            q, k, v, scale: scale, dropout: configuration.attentionDropout)
        let projected = try output(mixed, mode: layer.mode)
        return try layer.mode.dropping(projected, probability: configuration.residualDropout)
    }
}

/// One block: attention and feed-forward, each behind a norm and beside a residual.
final class GPT2Block: TransformerBlock {
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

    func callAsFunction(
        _ input: ResidualStream, _ layer: DecoderPass.Layer
    ) throws -> ResidualStream {
        let (before, normed) = try attentionNorm(adding: input.branch, to: input.stream)
        let attended = try attention(normed, layer)
        let (between, renormed) = try feedForwardNorm(adding: attended, to: before)
        let activated = try configuration.activation(inner(renormed, mode: layer.mode))
        let projected = try output(activated, mode: layer.mode)
        let branch = try layer.mode.dropping(
            projected, probability: configuration.residualDropout)
        return ResidualStream(between, branch: branch)
    }

    var linears: [Linear] { [attention.joint, attention.output, inner, output] }

    var layers: BlockLayers {
        BlockLayers(
            attentionOutput: attention.output, feedForwardInput: inner, feedForwardOutput: output)
    }
}

/// The body of GPT-2: embeddings of words and positions, blocks, a last norm.
public final class GPT2Body: DecoderBody {
    public let configuration: GPT2Configuration
    public let words: Embedding
    public let blocks: [any TransformerBlock<DecoderPass.Layer>]
    private let positions: Embedding
    private let norm: LayerNorm

    public init(_ scope: WeightScope, _ configuration: GPT2Configuration) throws {
        let (size, deviation) = (configuration.hiddenSize, configuration.initializerRange)
        words = try Embedding(
            scope / "wte", count: configuration.vocabularySize, size: size, deviation: deviation)
        positions = try Embedding(
            scope / "wpe", count: configuration.maximumPositions, size: size,
            deviation: deviation)
        blocks = try (0..<configuration.layers).map {
            try GPT2Block(scope / "h" / $0, configuration, layer: $0)
        }
        norm = try LayerNorm(scope / "ln_f", size: size, epsilon: configuration.normEpsilon)
        self.configuration = configuration
    }

    public var embeddings: [Embedding] { [words, positions] }

    public func embedded(_ ids: Tensor, _ pass: DecoderPass) throws -> Tensor {
        let sum = try (pass.withPrompt(words(ids)) + positions(pass.positions)).to(pass.dtype)
        return try pass.mode.dropping(sum, probability: configuration.embeddingDropout)
    }

    public func normalized(_ output: ResidualStream) throws -> Tensor {
        try norm(adding: output.branch, to: output.stream).normed
    }
}

/// A GPT-2 decoder.
public typealias GPT2 = Decoder<GPT2Body>

extension GPT2Configuration {
    public var names: ArchitectureNames {
        ArchitectureNames(
            bareClass: "GPT2Model", headClass: "GPT2LMHeadModel", bodyPrefix: "transformer.",
            wordsPath: "transformer.wte", tiedNames: sharesEmbedding ? ["lm_head.weight"] : [],
            blocksPath: "transformer.h", headPath: "lm_head", defaultTargets: ["c_attn"],
            unneededEndings: ["attn.bias", "attn.masked_bias"])
    }
}
