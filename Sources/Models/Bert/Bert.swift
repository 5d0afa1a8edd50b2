import DualModules
import DualTorch

// BERT: Devlin et al. 2018, arXiv:1810.04805. Reference: transformers' `modeling_bert.py`.
// Letters in shapes: B batch, T tokens, H heads, D head size, E hidden size.

/// Self-attention with its output projection, residual and norm.
final class BertAttention {
    let query, key, value, output: Linear
    let norm: LayerNorm
    private let configuration: BertConfiguration

    init(_ scope: WeightScope, _ configuration: BertConfiguration) throws {
        let size = configuration.hiddenSize
        let deviation = configuration.initializerRange
        query = try Linear(scope / "self" / "query", from: size, to: size, deviation: deviation)
        key = try Linear(scope / "self" / "key", from: size, to: size, deviation: deviation)
        value = try Linear(scope / "self" / "value", from: size, to: size, deviation: deviation)
        output = try Linear(scope / "output" / "dense", from: size, to: size, deviation: deviation)
        norm = try LayerNorm(
            scope / "output" / "LayerNorm", size: size, epsilon: configuration.layerNormEpsilon)
        self.configuration = configuration
    }

    /// (B, T, E) to (B, T, E).
    func callAsFunction(_ x: Tensor, _ layer: EncoderPass.Layer) throws -> Tensor {
        let (B, T) = (x.size(0), x.size(1))
        func heads(_ projection: Linear) throws -> Tensor {
            try projection(x, mode: layer.mode)
                .reshaped(B, T, configuration.heads, configuration.headSize)
        }
        let (q, k, v) = (try heads(query), try heads(key), try heads(value))  // (B, T, H, D)
        let mixed = try layer.attention(q, k, v, dropout: configuration.attentionDropout)
        let projected = try output(mixed, mode: layer.mode)
        let branch = try layer.mode.dropping(projected, probability: configuration.hiddenDropout)
        return try norm(adding: branch, to: x).normed
    }
}

/// One block: attention, then two layers with an activation between, each with residual and norm.
final class BertBlock: TransformerBlock {
    let attention: BertAttention
    let intermediate, output: Linear
    let norm: LayerNorm
    let end: BlockEnd
    private let configuration: BertConfiguration

    init(_ scope: WeightScope, _ configuration: BertConfiguration) throws {
        let (size, inner) = (configuration.hiddenSize, configuration.intermediateSize)
        let deviation = configuration.initializerRange
        attention = try BertAttention(scope / "attention", configuration)
        intermediate = try Linear(
            scope / "intermediate" / "dense", from: size, to: inner, deviation: deviation)
        output = try Linear(scope / "output" / "dense", from: inner, to: size, deviation: deviation)
        norm = try LayerNorm(
            scope / "output" / "LayerNorm", size: size, epsilon: configuration.layerNormEpsilon)
        end = BlockEnd(path: scope.path, beside: norm.weight)
        self.configuration = configuration
    }

    func callAsFunction(
        _ input: ResidualStream, _ layer: EncoderPass.Layer
    ) throws -> ResidualStream {
        let attended = try attention(input.stream, layer)
        let inner = try configuration.activation(intermediate(attended, mode: layer.mode))
        let projected = try output(inner, mode: layer.mode)
        let branch = try layer.mode.dropping(projected, probability: configuration.hiddenDropout)
        return ResidualStream(try norm(adding: branch, to: attended).normed)
    }

    var linears: [Linear] {
        [
            attention.query, attention.key, attention.value, attention.output, intermediate, output,
        ]
    }

    var layers: BlockLayers {
        BlockLayers(
            attentionOutput: attention.output, feedForwardInput: intermediate,
            feedForwardOutput: output)
    }
}

/// Words, positions and sentence types, summed and normalised.
final class BertEmbeddings {
    let words, positions, types: Embedding
    let norm: LayerNorm
    private let configuration: BertConfiguration

    init(_ scope: WeightScope, _ configuration: BertConfiguration) throws {
        let size = configuration.hiddenSize
        let deviation = configuration.initializerRange
        words = try Embedding(
            scope / "word_embeddings", count: configuration.vocabularySize, size: size,
            deviation: deviation, frozenRow: configuration.frozenToken)
        positions = try Embedding(
            scope / "position_embeddings", count: configuration.maximumPositions, size: size,
            deviation: deviation)
        types = try Embedding(
            scope / "token_type_embeddings", count: configuration.typeVocabularySize, size: size,
            deviation: deviation)
        norm = try LayerNorm(
            scope / "LayerNorm", size: size, epsilon: configuration.layerNormEpsilon)
        self.configuration = configuration
    }

    func callAsFunction(_ batch: TokenBatch, _ pass: EncoderPass) throws -> Tensor {
        let position = try positions(pass.positions)  // (T, E)
        let word = try pass.withPrompt(words(batch.ids))  // (B, T, E)
        let type = try types(pass.withPrompt(types: batch.typeIDs))
        let sum = try word + type + position
        return try pass.mode.dropping(norm(sum), probability: configuration.hiddenDropout)
    }
}

/// The body of BERT: embeddings, blocks and, where there is one, a pooler.
public final class BertBody: EncoderBody {
    public let configuration: BertConfiguration
    public let blocks: [any TransformerBlock<EncoderPass.Layer>]
    private let embeddingLayers: BertEmbeddings
    private let pooler: Linear?

    public init(
        _ scope: WeightScope, _ configuration: BertConfiguration, hasHead: Bool
    ) throws {
        self.configuration = configuration
        let size = configuration.hiddenSize
        embeddingLayers = try BertEmbeddings(scope / "embeddings", configuration)
        blocks = try (0..<configuration.layers).map {
            try BertBlock(scope / "encoder" / "layer" / $0, configuration)
        }
        let dense = scope / "pooler" / "dense"
        pooler =
            hasHead || dense.contains("weight")
            ? try Linear(
                dense.creating(.whenMissing), from: size, to: size,
                deviation: configuration.initializerRange) : nil
    }

    public var words: Embedding { embeddingLayers.words }

    public var embeddings: [Embedding] {
        [embeddingLayers.words, embeddingLayers.positions, embeddingLayers.types]
    }

    public var lastLinears: [Linear] { pooler.map { [$0] } ?? [] }

    public func embedded(_ batch: TokenBatch, _ pass: EncoderPass) throws -> Tensor {
        try embeddingLayers(batch, pass).to(pass.dtype)
    }

    public func normalized(_ output: ResidualStream) -> Tensor { output.stream }

    public func summary(of hidden: Tensor, mode: ForwardMode) throws -> Tensor? {
        try pooler.map { try $0(hidden.selecting(0, along: 1), mode: mode).tanh() }
    }
}

/// A BERT encoder.
public typealias Bert = Encoder<BertBody>

extension BertConfiguration {
    public var names: ArchitectureNames {
        ArchitectureNames(
            bareClass: "BertModel", headClass: "BertForSequenceClassification",
            bodyPrefix: "bert.", wordsPath: "bert.embeddings.word_embeddings",
            tiedNames: tiesPretrainingHead ? ["cls.predictions.decoder.weight"] : [],
            blocksPath: "bert.encoder.layer", headPath: "classifier",
            defaultTargets: ["query", "value"],
            unneededEndings: ["embeddings.position_ids"], unneededBeginnings: ["cls."])
    }
}
