import DualTorch

/// Keys and values that every layer sees before those of the tokens.
///
/// Every token of a sequence sees them, as far as its window goes; they are not turned by a position, but
/// take the first ones: a sequence's own tokens begin at V. Hidden states are of its own tokens alone.
public protocol KeyValuePrefix: AdapterPart {
    /// V, the virtual tokens.
    var count: Int { get }

    /// (V, 2 L, G, D) in the type asked for: at 2 l a layer's keys, at 2 l + 1 its values.
    func keysAndValues(_ mode: ForwardMode, dtype: DType) throws -> Tensor
}
