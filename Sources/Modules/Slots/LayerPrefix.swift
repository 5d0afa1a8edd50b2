import DualTorch

/// A prefix in one forward pass: what it gives each layer.
public struct PrefixLayers {
    public let places: VirtualTokens
    /// By layer: keys and values (V, G, D).
    private let layers: [[Tensor]]

    public init(
        _ part: any KeyValuePrefix, places: VirtualTokens, dtype: DType, mode: ForwardMode
    ) throws {
        self.places = places
        let all = try part.keysAndValues(mode, dtype: dtype).unbound(along: 1)
        layers = stride(from: 0, to: all.count, by: 2).map { Array(all[$0..<$0 + 2]) }
    }

    /// A layer's keys and values: what its block takes of the graph besides its input.
    public subscript(layer: Int) -> [Tensor] { layers[layer] }

    /// What a block takes, with its places.
    public func placed(_ keysAndValues: [Tensor]) -> LayerPrefix {
        LayerPrefix(keys: keysAndValues[0], values: keysAndValues[1], places: places)
    }
}

/// A prefix's keys and values of one layer, and where they stand in the rows.
public struct LayerPrefix {
    /// (V, G, D), not turned by a position.
    public let keys: Tensor
    /// (V, G, D)
    public let values: Tensor
    public let places: VirtualTokens

    public init(keys: Tensor, values: Tensor, places: VirtualTokens) {
        self.keys = keys
        self.values = values
        self.places = places
    }

    /// Keys and values (B, G, T, D) with the prefix before each sequence's: (B, G, T', D).
    public func before(_ key: Tensor, _ value: Tensor) throws -> (Tensor, Tensor) {
        (try inserted(keys, key), try inserted(values, value))
    }

    /// The same with queries (B, H, T, D) to (B, H, T', D). The prefix's are zeros, which need no
    /// more than a place: attention to whole sequences then serves as it does without a prefix.
    public func before(
        _ query: Tensor, _ key: Tensor, _ value: Tensor
    ) throws -> (Tensor, Tensor, Tensor) {
        let nothing = try Tensor.zeros(
            [places.count, query.size(1), query.size(3)], dtype: query.dtype, device: query.device)
        let (keys, values) = try before(key, value)
        return (try inserted(nothing, query), keys, values)
    }

    /// What attention gave (B, H, T', D), without what the prefix's queries got: (B, H, T, D).
    public func own(of mixed: Tensor) throws -> Tensor {
        try places.own(of: mixed.transposed(1, 2)).transposed(1, 2)
    }

    private func inserted(_ virtual: Tensor, _ heads: Tensor) throws -> Tensor {
        try places.inserting(virtual, into: heads.transposed(1, 2)).transposed(1, 2)
    }
}
