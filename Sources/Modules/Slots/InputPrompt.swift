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
