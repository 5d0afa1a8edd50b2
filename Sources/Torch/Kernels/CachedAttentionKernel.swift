import CTorch

/// Attention of one new token a row to a cache of keys and values, which takes the token's own: one call
/// (CTorch's `decoding.cpp`). No operator, for the dispatcher would take as long.
package enum CachedAttentionKernel {
    static let support = KernelSupport(.cpu)

    /// One layer's part of a cache: keys and values (B, G, capacity, D), the number of tokens that it has,
    /// and the first of them that each row sees.
    package typealias Cache = (keys: Tensor, values: Tensor, count: Int, first: [Int])

    /// Cosines and sines (those of a head's first half negated) of the new tokens' positions, D numbers
    /// for all rows or for each.
    package typealias Rotary = (cosine: Tensor, signedSine: Tensor)

    /// Turns one new token's query and key in each row, if there are rotary positions, puts key and value
    /// into the cache, and attends to it.
    /// - Parameters:
    ///   - query: (B, H, D); `key`, `value`: (B, G, D).
    ///   - scale: of the scores.
    /// - Returns: (B, H, D); nil, with the cache as it was, where the kernel does not apply, as where
    ///   gradients are recorded.
    package static func attend(
        _ query: Tensor, _ key: Tensor, _ value: Tensor, to cache: Cache, rotary: Rotary?,
        scale: Double
    ) throws -> Tensor? {
        let given = [
            query, key, value, cache.keys, cache.values, rotary?.cosine, rotary?.signedSine,
        ]
        guard support.takes(given), cache.first.count == query.size(0) else { return nil }
        var out: OpaquePointer?
        let status = cache.first.map(Int64.init).withUnsafeBufferPointer { first in
            var call = ct_decoding_attention()
            call.query = query.handle
            call.key = key.handle
            call.value = value.handle
            call.cosine = rotary.map { $0.cosine.handle }
            call.sine = rotary.map { $0.signedSine.handle }
            call.keys = cache.keys.handle
            call.values = cache.values.handle
            call.count = Int64(cache.count)
            call.first = first.baseAddress
            call.scale = Float(scale)
            return withExtendedLifetime(given) { ct_attend_to_cache(&call, &out) }
        }
        try check(status, "attention to a cache")
        return out.map(Tensor.init(owning:))
    }
}
