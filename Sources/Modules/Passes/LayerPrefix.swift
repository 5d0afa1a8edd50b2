import DualTorch

/// A prefix's keys and values of one layer, and their virtual tokens in the rows.
package struct LayerPrefix {
    /// (V, G, D), not turned by a position.
    package let keys: Tensor
    /// (V, G, D)
    package let values: Tensor
    package let tokens: VirtualTokens

    package init(keys: Tensor, values: Tensor, tokens: VirtualTokens) {
        self.keys = keys
        self.values = values
        self.tokens = tokens
    }

    /// Keys and values (B, G, T, D) with the prefix before each sequence's: (B, G, T', D).
    package func before(_ key: Tensor, _ value: Tensor) throws -> (Tensor, Tensor) {
        (try inserted(keys, key), try inserted(values, value))
    }

    /// The same with queries (B, H, T, D) to (B, H, T', D). The prefix's queries are
    /// zeros, for their output is dropped: attention to whole sequences then serves as it does without a
    /// prefix.
    package func before(
        _ query: Tensor, _ key: Tensor, _ value: Tensor
    ) throws -> (Tensor, Tensor, Tensor) {
        let nothing = try Tensor.zeros(
            [tokens.count, query.size(1), query.size(3)], dtype: query.dtype, device: query.device)
        let (keys, values) = try before(key, value)
        return (try inserted(nothing, query), keys, values)
    }

    /// What attention gave (B, H, T', D), without what the prefix's queries got: (B, H, T, D).
    package func own(of mixed: Tensor) throws -> Tensor {
        try tokens.own(of: mixed.transposed(1, 2)).transposed(1, 2)
    }

    private func inserted(_ virtual: Tensor, _ heads: Tensor) throws -> Tensor {
        try tokens.inserting(virtual, into: heads.transposed(1, 2)).transposed(1, 2)
    }
}
