import DualTorch

/// The attention of a model's layers, with a slot for a prefix.
public final class PrefixSlot {
    /// L
    public let layers: Int
    /// G, of keys and values.
    public let heads: Int
    /// D
    public let headSize: Int
    public var adapter: (any KeyValuePrefix)?

    public init(layers: Int, heads: Int, headSize: Int) {
        self.layers = layers
        self.heads = heads
        self.headSize = headSize
    }
}
