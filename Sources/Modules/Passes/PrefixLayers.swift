import DualTorch

/// A prefix in one forward pass: what it gives each layer.
struct PrefixLayers {
    let tokens: VirtualTokens
    /// By layer: keys and values (V, G, D).
    private let keysAndValues: [[Tensor]]

    init(
        _ prefix: any KeyValuePrefix, tokens: VirtualTokens, dtype: DType, mode: ForwardMode
    ) throws {
        self.tokens = tokens
        let all = try prefix.keysAndValues(mode, dtype: dtype).unbound(along: 1)
        keysAndValues = stride(from: 0, to: all.count, by: 2).map { Array(all[$0..<$0 + 2]) }
    }

    /// A layer's keys and values: what its block takes of the graph besides its input.
    subscript(layer: Int) -> [Tensor] { keysAndValues[layer] }

    /// A layer's keys and values with their places.
    func layer(_ keysAndValues: [Tensor]) -> LayerPrefix {
        LayerPrefix(keys: keysAndValues[0], values: keysAndValues[1], tokens: tokens)
    }
}
