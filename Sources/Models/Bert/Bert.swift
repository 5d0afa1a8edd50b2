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

    /// - Parameter mask: (B, 1, T, S), S with the prefix counted.
    func callAsFunction(
        _ x: Tensor, mask: Tensor?, prefix: LayerPrefix?, mode: ForwardMode
    ) throws -> Tensor {
        let (B, T, E) = (x.size(0), x.size(1), x.size(2))
        func heads(_ x: Tensor) throws -> Tensor {
            try x.reshaped(B, T, configuration.heads, configuration.headSize).transposed(1, 2)
        }
        let q = try heads(query(x, mode: mode))  // (B, H, T, D)
        var (k, v) = (try heads(key(x, mode: mode)), try heads(value(x, mode: mode)))
        if let prefix { (k, v) = try prefix.before(k, v) }  // (B, H, S, D)
        let mixed = try attend(
            q, k, v, mask: mask, dropout: configuration.attentionDropout, mode: mode)
        let projected = try output(mixed.transposed(1, 2).reshaped(B, T, E), mode: mode)
        let branch = try mode.dropping(projected, probability: configuration.hiddenDropout)
        return try norm(adding: branch, to: x).normed
    }
}

/// One block: attention, then two layers with an activation between, each with residual and norm.
final class BertLayer {
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
        _ x: Tensor, mask: Tensor?, prefix: LayerPrefix?, at places: TokenPlaces, mode: ForwardMode
    ) throws -> Tensor {
        let attended = try attention(x, mask: mask, prefix: prefix, mode: mode)
        let inner = try configuration.activation(intermediate(attended, mode: mode))
        let projected = try output(inner, mode: mode)
        let branch = try mode.dropping(projected, probability: configuration.hiddenDropout)
        return try end(norm(adding: branch, to: attended).normed, at: places, mode: mode)
    }

    var linears: [Linear] {
        [
            attention.query, attention.key, attention.value, attention.output, intermediate, output,
        ]
    }

    var blockLayers: BlockLayers {
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
            deviation: deviation)
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

    func callAsFunction(_ batch: TokenBatch, _ rows: BertRows, mode: ForwardMode) throws -> Tensor {
        let place = try positions.weight.value.slice(rows.positions)  // (T, E)
        let (word, type) = (
            try rows.withPrompt(words(batch.ids)), try types(rows.withPrompt(types: batch.typeIDs))
        )
        let sum = try word + type + place  // (B, T, E)
        return try mode.dropping(norm(sum), probability: configuration.hiddenDropout)
    }
}

/// A BERT encoder with its pooler and, where there is one, a classification or regression head.
public final class Bert: SequenceModel {
    public let configuration: BertConfiguration
    public let parameters: [Parameter]
    public let computeType: DType
    let embeddings: BertEmbeddings
    let layers: [BertLayer]
    let pooler: Linear?
    public let head: Linear?
    public let slots: AdapterSlots

    /// - Parameters:
    ///   - source: gives the weights; names are those of `BertForSequenceClassification`.
    ///   - computeType: what activations are computed in.
    public init(
        _ source: WeightSource, _ configuration: BertConfiguration, head: HeadChoice,
        computeType: DType
    ) throws {
        let bert = source.root / "bert"
        let size = configuration.hiddenSize
        embeddings = try BertEmbeddings(bert / "embeddings", configuration)
        layers = try (0..<configuration.layers).map {
            try BertLayer(bert / "encoder" / "layer" / $0, configuration)
        }
        let needsPooler = head != .none || source.contains("bert.pooler.dense.weight")
        pooler =
            needsPooler
            ? try Linear(
                (bert / "pooler" / "dense").creating(.whenMissing), from: size, to: size,
                deviation: configuration.initializerRange) : nil
        self.head =
            switch head {
            case .none: nil
            case .stored(let labels):
                try Linear(source.root / "classifier", from: size, to: labels)
            case .created(let labels):
                try Linear(
                    (source.root / "classifier").creating(.always), from: size, to: labels,
                    deviation: configuration.initializerRange)
            }
        self.configuration = configuration
        self.computeType = computeType
        parameters = source.parameters
        slots = AdapterSlots(
            linears: layers.flatMap(\.linears) + (pooler.map { [$0] } ?? []),
            blocks: layers.map(\.end), blockLayers: layers.map(\.blockLayers),
            prefix: PrefixSlot(
                layers: configuration.layers, heads: configuration.heads,
                headSize: configuration.headSize),
            prompt: PromptSlot(
                words: embeddings.words.weight, layers: configuration.layers,
                heads: configuration.heads),
            parameters: parameters,
            defaultTargets: ["query", "value"], bodyPrefix: "bert.")
    }

    public var maximumLength: Int? { max(0, configuration.maximumPositions - slots.virtualTokens) }

    public var vocabularySize: Int { configuration.vocabularySize }

    public var typeVocabularySize: Int { configuration.typeVocabularySize }

    /// (B, T, E), the last block's output; a prompt's tokens stand first in T.
    public func hiddenStates(_ batch: TokenBatch, mode: ForwardMode) throws -> Tensor {
        let rows = try BertRows(slots, batch, dtype: computeType, mode: mode)
        guard rows.positions.upperBound <= configuration.maximumPositions else {
            throw ModelError.tooLong(
                tokens: rows.positions.upperBound, limit: configuration.maximumPositions)
        }
        let mask = try rows.mask(of: batch)
        let embedded = try embeddings(batch, rows, mode: mode).to(computeType)
        let places = rows.places(of: batch)
        return try zip(layers.indices, layers).reduce(embedded) { x, next in
            let (index, layer) = next
            return try mode.running([x] + (rows.prefix?[index] ?? [])) {
                let prefix = rows.prefix?.placed(Array($0.dropFirst()))
                return [try layer($0[0], mask: mask, prefix: prefix, at: places, mode: mode)]
            }[0]
        }
    }

    /// (B, labels) in float32, from the last block's output.
    public func logits(ofHidden hidden: Tensor, mode: ForwardMode) throws -> Tensor? {
        guard let pooler, let head else { return nil }
        let pooled = try pooler(hidden.selecting(0, along: 1), mode: mode).tanh()  // (B, E)
        let dropout = configuration.classifierDropout ?? configuration.hiddenDropout
        // Few products, and the loss depends on each bit of them: float32 or wider.
        let wide = try computeType == .float64 ? pooled : pooled.to(.float32)
        return try head(mode.dropping(wide, probability: dropout))
    }
}
