import DualTorch

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
    public var hiddenSize: Int { words.stored.size(1) }

    public init(words: Parameter, layers: Int, heads: Int) {
        self.words = words
        self.layers = layers
        self.heads = heads
    }
}
