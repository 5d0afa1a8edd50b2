import CTorch

/// One layer's part of a cache, and what a new token's attention to it needs: one call of a kernel
/// (CTorch's `decoding.cpp`), no operator, for the dispatcher would take as long.
package struct DecodingAttention {
    /// Cosines and sines (those of a head's first half negated) of the new tokens' positions, D
    /// numbers for all rows or for each; nil for no rotary positions.
    package var rotary: (cosine: Tensor, signedSine: Tensor)?
    /// (B, G, capacity, D)
    package var keys: Tensor
    /// (B, G, capacity, D)
    package var values: Tensor
    /// Tokens that the cache has.
    package var count: Int
    /// The first token that each row sees.
    package var first: [Int]
    /// What scores are multiplied by.
    package var scale: Double

    static let support = KernelSupport(.cpu)

    package init(
        rotary: (cosine: Tensor, signedSine: Tensor)?, keys: Tensor, values: Tensor, count: Int,
        first: [Int], scale: Double
    ) {
        self.rotary = rotary
        self.keys = keys
        self.values = values
        self.count = count
        self.first = first
        self.scale = scale
    }

    /// Turns one new token's query and key in each row, puts key and value into the cache, and attends
    /// to it, in one call.
    ///
    /// - Parameters:
    ///   - query: (B, H, D); `key`, `value`: (B, G, D).
    /// - Returns: (B, H, D); nil, with the cache as it was, where the kernel does not apply, as where
    ///   gradients are recorded, or off the CPU.
    package func callAsFunction(_ query: Tensor, _ key: Tensor, _ value: Tensor) throws -> Tensor? {
        let given = [query, key, value, keys, values, rotary?.cosine, rotary?.signedSine]
        guard Self.support.takes(given), first.count == query.size(0) else { return nil }
        var out: OpaquePointer?
        let status = first.map(Int64.init).withUnsafeBufferPointer { first in
            var call = ct_decoding_attention()
            call.query = query.handle
            call.key = key.handle
            call.value = value.handle
            call.cosine = rotary.map { $0.cosine.handle }
            call.sine = rotary.map { $0.signedSine.handle }
            call.keys = keys.handle
            call.values = values.handle
            call.count = Int64(count)
            call.first = first.baseAddress
            call.scale = Float(scale)
            return withExtendedLifetime((self, query, key, value)) {
                ct_attend_to_cache(&call, &out)
            }
        }
        try check(status, "attention to a cache")
        return out.map(Tensor.init(owning:))
    }
}
