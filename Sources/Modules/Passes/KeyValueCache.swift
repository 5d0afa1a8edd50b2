import DualTorch

/// The keys and values of the tokens that a causal model has seen, so that each is computed once.
///
/// Memory for `capacity` tokens is taken at the start: nothing grows while text is generated.
public final class KeyValueCache {
    public let layout: BatchLayout
    /// The most tokens of a row, padding counted.
    public let capacity: Int
    /// Tokens that every row holds.
    public private(set) var count = 0
    /// What adapters form once for all tokens that are read into this cache.
    package let formedWeights: FormedWeights
    /// (B, G, capacity, D) of each layer.
    private var keys: [Tensor]
    private var values: [Tensor]

    /// - Parameters:
    ///   - heads: G, of keys and values.
    ///   - leftPadding: padding tokens before each row's sequence.
    public init(
        layers: Int, heads: Int, headSize: Int, leftPadding: [Int], capacity: Int, dtype: DType,
        device: Device
    ) throws {
        layout = .rows(leftPadding: leftPadding)
        self.capacity = capacity
        formedWeights = FormedWeights()
        let shape = [leftPadding.count, heads, capacity, headSize]
        keys = try (0..<layers).map { _ in try Tensor.empty(shape, dtype: dtype, device: device) }
        values = try (0..<layers).map { _ in try Tensor.empty(shape, dtype: dtype, device: device) }
    }

    private init(_ other: KeyValueCache, layout: BatchLayout, keys: [Tensor], values: [Tensor]) {
        self.layout = layout
        capacity = other.capacity
        count = other.count
        formedWeights = other.formedWeights
        self.keys = keys
        self.values = values
    }

    /// Rows of the batch.
    public var rowCount: Int {
        if case .rows(let padding, _, _) = layout { padding.count } else { 1 }
    }

    /// Keeps one layer's keys and values (B, G, T, D) of new tokens.
    /// - Returns: those of all tokens so far (B, G, S, D), views of the cache.
    public func extend(_ layer: Int, _ key: Tensor, _ value: Tensor) throws -> (Tensor, Tensor) {
        let end = count + key.size(2)
        try keys[layer].slice(count..<end, along: 2).copy(from: key)
        try values[layer].slice(count..<end, along: 2).copy(from: value)
        return (
            try keys[layer].slice(0..<end, along: 2), try values[layer].slice(0..<end, along: 2)
        )
    }

    /// Attention of one new token a row to this layer's tokens and to itself, which the cache keeps,
    /// in one call.
    ///
    /// - Parameters:
    ///   - query: (B, H, D); `key`, `value`: (B, G, D), not yet turned.
    ///   - window: how many tokens, its own counted, a token sees; nil for all before it.
    ///   - scale: of the scores; nil for 1 / √D.
    /// - Returns: (B, H, D); nil, with the cache as it was, where this does not go.
    package func attend(
        _ layer: Int, _ query: Tensor, _ key: Tensor, _ value: Tensor, rotary: RotaryTable?,
        window: Int?, scale: Double? = nil
    ) throws -> Tensor? {
        guard case .rows(let padding, _, _) = layout else { return nil }
        let start = window.map { max(0, count + 1 - $0) } ?? 0
        let first = padding.map { max($0, start) }
        return try CachedAttentionKernel.attend(
            query, key, value, to: (keys[layer], values[layer], count, first),
            rotary: rotary.map { ($0.cosine, $0.signedSine) },
            scale: scale ?? 1 / Double(query.size(-1)).squareRoot())
    }

    /// Counts tokens whose keys and values every layer has kept.
    public func advance(by tokens: Int) { count += tokens }

    /// Refuses tokens for which there is no room.
    /// - Throws: ``CacheError/full(tokens:capacity:)``.
    public func checkRoom(for tokens: Int) throws {
        guard count + tokens <= capacity else {
            throw CacheError.full(tokens: count + tokens, capacity: capacity)
        }
    }

    /// A cache with rows chosen by number, in their order and as often as they are named: one prompt
    /// for several beams, or the rows that are not finished.
    public func selecting(rows: [Int]) throws -> KeyValueCache {
        guard case .rows(let padding, _, _) = layout else { return self }
        return KeyValueCache(
            self, layout: .rows(leftPadding: rows.map { padding[$0] }),
            keys: try keys.map { try filled($0, rows: rows) },
            values: try values.map { try filled($0, rows: rows) })
    }

    /// Puts the rows in another order, in place: row i becomes what row `rows[i]` was.
    ///
    /// Rows that exchange places must be of one prompt, for the padding stays.
    /// - Parameter start: the first token in which rows may differ: the beams of a prompt share it.
    public func reorder(rows: [Int], from start: Int = 0) throws {
        guard rows != Array(0..<rowCount), start < count else { return }
        for tensor in keys + values {
            let indices = try Tensor(rows).to(device: tensor.device)
            let filled = try tensor.slice(start..<count, along: 2)
            try filled.copy(from: filled.gathered(rows: indices))
        }
    }

    /// A copy of chosen rows, with the tokens that the cache holds.
    private func filled(_ tensor: Tensor, rows: [Int]) throws -> Tensor {
        var shape = tensor.shape
        shape[0] = rows.count
        let chosen = try Tensor.empty(shape, dtype: tensor.dtype, device: tensor.device)
        let indices = try Tensor(rows).to(device: tensor.device)
        try chosen.slice(0..<count, along: 2).copy(
            from: tensor.slice(0..<count, along: 2).gathered(rows: indices))
        return chosen
    }
}
