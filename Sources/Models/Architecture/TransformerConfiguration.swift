import DualModules

/// The configuration of an architecture: the fields of its `config.json` that matter to the computation,
/// of which these concern the code that architectures share.
public protocol TransformerConfiguration: Equatable, Sendable {
    /// Reads and checks the fields.
    /// - Throws: ``ConfigurationError/badValue(file:key:found:expected:)`` naming the field.
    init(_ file: ConfigurationFile) throws

    var names: ArchitectureNames { get }
    var vocabularySize: Int { get }
    var hiddenSize: Int { get }
    /// The number of blocks.
    var layers: Int { get }
    /// Heads of queries.
    var heads: Int { get }
    /// Heads of keys and values; without a word, as many as of queries.
    var keyValueHeads: Int { get }
    /// The size of one head.
    var headSize: Int { get }
    /// The number of positions that the model has embeddings for; nil where positions have no end.
    var positionLimit: Int? { get }
    /// The standard deviation of new weights.
    var initializerRange: Double { get }
}

extension TransformerConfiguration {
    public var keyValueHeads: Int { heads }
}

/// The configuration of a decoder.
public protocol DecoderConfiguration: TransformerConfiguration {
    /// Whether the head's weight is that of the words' embedding.
    var sharesEmbedding: Bool { get set }
}

/// The configuration of an encoder.
public protocol EncoderConfiguration: TransformerConfiguration {
    /// How many kinds of sentence the model tells apart.
    var typeVocabularySize: Int { get }
    /// Dropout before the head.
    var headDropout: Double { get }
}
