import DualTorch

/// Embeddings of virtual tokens, which stand before those of a sequence's own.
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

    /// E
    public var hiddenSize: Int { words.value.size(1) }

    public init(words: Parameter) { self.words = words }
}
