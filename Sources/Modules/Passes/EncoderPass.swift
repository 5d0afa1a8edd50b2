import DualTorch

/// One forward pass of an encoder: its rows, the virtual tokens that adapters put before them, and the keys
/// that are seen.
///
/// Virtual tokens stand before a row's padding too, as the reference's with PEFT; every token sees them.
public struct EncoderPass: ForwardPass {
    public let mode: ForwardMode
    /// What activations are computed in.
    public let dtype: DType
    package let places: TokenPlaces
    /// The positions of the tokens in every row, a prompt's counted. A prefix takes the first positions.
    public let positions: Range<Int>
    private let tokens: InsertedTokens
    /// (B, 1, T, S) of bool, true where a key is seen; nil for everywhere.
    private let mask: Tensor?

    /// - Parameters:
    ///   - ids: (B, T) of int64.
    ///   - mask: (B, T) of bool, true at tokens; nil where nothing is padded.
    ///   - layout: of the rows, without virtual tokens.
    ///   - dtype: what activations are computed in.
    package init(
        _ slots: AdapterSlots, ids: Tensor, mask: Tensor?, layout: BatchLayout, dtype: DType,
        mode: ForwardMode
    ) throws {
        (self.mode, self.dtype) = (mode, dtype)
        let (B, T, device) = (ids.size(0), ids.size(1), ids.device)
        let rows = BatchLayout.rows(leftPadding: [Int](repeating: 0, count: B))
        let tokens = try InsertedTokens(
            slots, into: rows, count: T, device: device, dtype: dtype, mode: mode)
        self.tokens = tokens
        let skipped = tokens.prefix?.count ?? 0
        positions = skipped..<skipped + tokens.count
        places = layout.places(past: 0, count: T).shifted(by: tokens.prompt?.count ?? 0)
        self.mask = try mask.map {
            let seen = try [tokens.prompt, tokens.prefix].compactMap(\.self).reduce($0) {
                let ones = try Tensor.ones([$1.count], dtype: .bool, device: device)
                return try $1.inserting(ones, into: $0)
            }
            let S = seen.size(1)
            return try seen.reshaped(B, 1, 1, S).expanded([B, 1, tokens.count, S])
        }
    }

    /// Embeddings of words (B, T, E) behind the prompt's.
    public func withPrompt(_ embedded: Tensor) throws -> Tensor { try tokens.withPrompt(embedded) }

    /// Types (B, T) behind those of a prompt, which are 0.
    public func withPrompt(types: Tensor) throws -> Tensor {
        guard let prompt = tokens.prompt else { return types }
        let zeros = try Tensor.zeros([prompt.count], dtype: .int64, device: types.device)
        return try prompt.inserting(zeros, into: types)
    }

    package func prefix(ofLayer index: Int) -> [Tensor] { tokens.prefix(ofLayer: index) }

    package func layer(_ index: Int, prefix: [Tensor]) -> Layer {
        Layer(mode: mode, mask: mask, prefix: tokens.layerPrefix(prefix))
    }
}

extension EncoderPass {
    /// One block's share of an encoder's pass.
    public struct Layer {
        public let mode: ForwardMode
        /// (B, 1, T, S) of bool, true where a key is seen; nil for everywhere.
        public let mask: Tensor?
        fileprivate let prefix: LayerPrefix?

        /// softmax(q kᵀ / √D) v over the tokens of a row, those of a prefix among the keys.
        ///
        /// - Parameters:
        ///   - query, key, value: (B, T, H, D).
        ///   - dropout: of the weights, in training.
        /// - Returns: (B, T, H · D)
        public func attention(
            _ query: Tensor, _ key: Tensor, _ value: Tensor, dropout: Double
        ) throws -> Tensor {
            let (B, T, size) = (query.size(0), query.size(1), query.size(2) * query.size(3))
            let q = try query.transposed(1, 2)  // (B, H, T, D)
            var (k, v) = (try key.transposed(1, 2), try value.transposed(1, 2))
            if let prefix { (k, v) = try prefix.before(k, v) }  // (B, H, S, D)
            let mixed = try attend(q, k, v, mask: mask, dropout: dropout, mode: mode)
            return try mixed.transposed(1, 2).reshaped(B, T, size)
        }
    }
}
