import DualModules
import DualTorch

/// A decoder that predicts each next token; its logits are (B, T, vocabulary) in the compute type.
public protocol CausalModel: TransformerModel {
    /// (B, T, E), after the last norm, of tokens that follow those in the cache.
    /// - Parameters:
    ///   - ids: (B, T) of int64.
    ///   - layout: how sequences lie in the rows, the cached tokens counted.
    ///   - cache: takes the tokens' keys and values; nil where none come after these.
    func hiddenStates(
        _ ids: Tensor, layout: BatchLayout, cache: KeyValueCache?, mode: ForwardMode
    ) throws -> Tensor

    /// An empty cache for rows with so much padding before them, with room for virtual tokens besides.
    func makeCache(leftPadding: [Int], capacity: Int) throws -> KeyValueCache
}

extension CausalModel {
    public func hiddenStates(_ batch: TokenBatch, mode: ForwardMode) throws -> Tensor {
        try hiddenStates(batch.ids, layout: batch.layout, cache: nil, mode: mode)
    }

    public func logits(ofHidden hidden: Tensor, mode: ForwardMode) throws -> Tensor? {
        try head?(hidden, mode: mode)
    }

    /// The logits of every row's last token (B, vocabulary), in float32 at least, having read `ids`.
    ///
    /// - Parameters:
    ///   - ids: (B, T) of int64: prompts padded on the left, or one new token a row.
    ///   - cache: takes what is read; its layout says how the rows are padded.
    /// - Throws: ``ModelError/noHead(folder:)``, ``CacheError``.
    public func nextLogits(_ ids: Tensor, cache: KeyValueCache) throws -> Tensor {
        try withoutGradient {
            let virtual = cache.count == 0 ? slots.virtualTokens : 0
            try cache.checkRoom(for: ids.size(1) + virtual)
            let hidden = try cache.formedWeights.keeping {
                try hiddenStates(ids, layout: cache.layout, cache: cache, mode: .inference)
            }
            let last = try hidden.selecting(hidden.size(1) - 1, along: 1)  // (B, E)
            guard let logits = try logits(ofHidden: last, mode: .inference) else {
                throw ModelError.noHead(folder: "this model")
            }
            return try logits.dtype == .float64 ? logits : logits.to(.float32)
        }
    }
}
