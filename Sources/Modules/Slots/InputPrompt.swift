import DualTorch

/// Embeddings of virtual tokens, which stand before those of a sequence's own.
///
/// They take the positions from 0 on, and go through the blocks as words do. What a decoder then gives
/// is of the sequence's own tokens alone; an encoder's hidden states, as PEFT's, begin with those of the
/// virtual tokens, the first of which is what its pooler reads.
public protocol InputPrompt: AdapterPart {
    /// V, the virtual tokens.
    var count: Int { get }

    /// (V, E) in the type asked for.
    func embeddings(_ mode: ForwardMode, dtype: DType) throws -> Tensor
}

/// The input of a model, with a slot for a prompt.
public final class PromptSlot {
    /// The model's table of words (vocabulary, E).
    public let words: Parameter
    public var adapter: (any InputPrompt)?
    /// L
    public let layers: Int
    /// H, of queries.
    public let heads: Int

    /// E
    public var hiddenSize: Int { words.value.size(1) }

    public init(words: Parameter, layers: Int, heads: Int) {
        self.words = words
        self.layers = layers
        self.heads = heads
    }
}
