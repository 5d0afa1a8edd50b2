import DualTorch

/// One forward pass of a decoder: its rows, the virtual tokens that adapters put before the sequences, the
/// keys that each token sees, and the cache of the tokens before.
///
/// Virtual tokens come in with the first tokens, and are then in the cache like others.
public struct DecoderPass: ForwardPass {
    public let mode: ForwardMode
    /// What activations are computed in.
    public let dtype: DType
    package let places: TokenPlaces
    /// Each token's position in its own sequence, (T) or (B, T), a prompt's tokens counted in T. A
    /// prefix takes the first positions.
    public let positions: Tensor
    /// The greatest position plus one.
    public let length: Int
    private let tokens: InsertedTokens
    private let rotary: RotaryTable?
    /// By layer.
    private let visible: [VisibleKeys]
    private let cache: KeyValueCache?

    /// - Parameters:
    ///   - ids: (B, T) of int64.
    ///   - layout: of the rows, without virtual tokens.
    ///   - cache: holds the tokens before these, virtual ones counted, and takes these.
    ///   - windows: by layer, how many tokens a token sees, its own counted; nil for all before it.
    ///   - rotary: turns queries and keys, in architectures that do.
    ///   - dtype: what activations are computed in.
    package init(
        _ slots: AdapterSlots, ids: Tensor, layout: BatchLayout, cache: KeyValueCache?,
        windows: [Int?], rotary: RotaryEmbedding? = nil, dtype: DType, mode: ForwardMode
    ) throws {
        (self.mode, self.dtype, self.cache) = (mode, dtype, cache)
        let (past, device) = (cache?.count ?? 0, ids.device)
        tokens = try InsertedTokens(
            past > 0 ? nil : slots, into: layout, count: ids.size(1), device: device,
            dtype: dtype, mode: mode)
        places = tokens.layout.places(past: past, count: tokens.count)
        var (positions, length) = try tokens.layout.positions(
            past: past, count: tokens.count, device: device)
        if let skipped = tokens.prefix?.count {
            positions = try positions + Tensor([skipped]).to(device: device)
            length += skipped
        }
        (self.positions, self.length) = (positions, length)
        var known: [Int?: VisibleKeys] = [:]
        for window in windows where known[window] == nil {
            known[window] = VisibleKeys(
                tokens.attendedLayout, past: past, count: tokens.attendedCount, window: window,
                device: device)
        }
        visible = windows.compactMap { known[$0] }
        self.rotary = try rotary?.table(positions: positions, length: length, dtype: dtype)
    }

    /// Tokens of a row that are attended to in this pass, virtual ones counted, cached ones not.
    package var attendedCount: Int { tokens.attendedCount }

    /// Embeddings of the tokens (B, T, E), with those of a prompt.
    public func withPrompt(_ embedded: Tensor) throws -> Tensor { try tokens.withPrompt(embedded) }

    /// The blocks' output without the prompt's tokens: (B, T, E).
    package func withoutPrompt(_ hidden: Tensor) throws -> Tensor {
        try tokens.prompt?.own(of: hidden) ?? hidden
    }

    package func prefix(ofLayer index: Int) -> [Tensor] { tokens.prefix(ofLayer: index) }

    package func layer(_ index: Int, prefix: [Tensor]) -> Layer {
        Layer(
            mode: mode, index: index, prefix: tokens.layerPrefix(prefix), rotary: rotary,
            visible: visible[index], cache: cache)
    }
}

extension DecoderPass {
    /// One block's share of a decoder's pass.
    public struct Layer {
        public let mode: ForwardMode
        fileprivate let index: Int
        fileprivate let prefix: LayerPrefix?
        fileprivate let rotary: RotaryTable?
        fileprivate let visible: VisibleKeys
        fileprivate let cache: KeyValueCache?

        /// Causal attention: softmax(s q kᵀ) v over the keys that each token sees, those of a cache and
        /// of a prefix among them.
        ///
        /// - Parameters:
        ///   - query: (B, T, H, D); `key`, `value`: (B, T, G, D), without rotary positions.
        ///   - scale: s; nil for 1 / √D.
        ///   - dropout: of the weights, in training.
        /// - Returns: (B, T, H · D)
        public func attention(
            _ query: Tensor, _ key: Tensor, _ value: Tensor, scale: Double? = nil, dropout: Double
        ) throws -> Tensor {
            let (B, T, size) = (query.size(0), query.size(1), query.size(2) * query.size(3))
            if let mixed = try decoded(query, key, value, scale: scale) {
                return try mixed.reshaped(B, 1, size)
            }
            var q = try turned(query)  // (B, H, T, D)
            var k = try turned(key)  // (B, G, T, D)
            var v = try value.transposed(1, 2)
            if let prefix { (q, k, v) = try prefix.before(q, k, v) }  // T' for T
            if let cache { (k, v) = try cache.extend(index, k, v) }  // (B, G, S, D)
            var mixed = try attendCausally(
                q, k, v, visible: visible, scale: scale, dropout: dropout, mode: mode)
            if let prefix { mixed = try prefix.own(of: mixed) }  // (B, H, T, D)
            return try mixed.transposed(1, 2).reshaped(B, T, size)
        }

        /// The attention of one new token a row to those in the cache (B, H, D), in one call; nil where
        /// there is another number of tokens, or no such call.
        private func decoded(
            _ query: Tensor, _ key: Tensor, _ value: Tensor, scale: Double?
        ) throws -> Tensor? {
            guard query.size(1) == 1, prefix == nil, let cache, !mode.isTraining else { return nil }
            return try cache.attend(
                index, query.selecting(0, along: 1), key.selecting(0, along: 1),
                value.selecting(0, along: 1), rotary: rotary, window: visible.window, scale: scale)
        }

        /// Heads (B, T, H, D), with rotary positions where there are any: (B, H, T, D).
        private func turned(_ heads: Tensor) throws -> Tensor {
            try rotary.map { try $0(heads) } ?? heads.transposed(1, 2)
        }
    }
}
