import DualTorch

/// One forward pass of a decoder: how its rows lie, with what adapters put before the sequences and what
/// a cache holds of them.
///
/// Virtual tokens come in with the first tokens, and are then in the cache like others.
public struct DecoderPass {
    private let prompt: (part: any InputPrompt, places: VirtualTokens)?
    public let prefix: PrefixLayers?
    /// Where the sequences stand in what goes through the blocks.
    public let places: TokenPlaces
    private let past: Int
    /// Of the tokens that go through the blocks, a prompt's counted.
    private let layout: BatchLayout
    private let count: Int
    private let mode: ForwardMode
    private let device: Device

    /// - Parameters:
    ///   - ids: (B, T).
    ///   - layout: of the rows, without virtual tokens.
    ///   - past: tokens in the cache, virtual ones counted.
    ///   - dtype: of keys and values.
    public init(
        _ slots: AdapterSlots, ids: Tensor, layout: BatchLayout, past: Int, dtype: DType,
        mode: ForwardMode
    ) throws {
        (self.past, self.mode, device) = (past, mode, ids.device)
        let length = ids.size(1)
        prompt =
            past > 0
            ? nil
            : try slots.prompt?.adapter.map { part in
                let places = try VirtualTokens(
                    part.count, before: layout, length: length, device: ids.device)
                return (part, places)
            }
        let (ownLayout, ownCount) = (
            prompt?.places.layout ?? layout, prompt?.places.rowLength ?? length
        )
        (self.layout, count) = (ownLayout, ownCount)
        places = ownLayout.places(past: past, count: ownCount)
        prefix =
            past > 0
            ? nil
            : try slots.prefix?.adapter.map { part in
                let places = try VirtualTokens(
                    part.count, before: ownLayout, length: ownCount, device: ids.device)
                return try PrefixLayers(part, places: places, dtype: dtype, mode: mode)
            }
    }

    /// Embeddings of the tokens (B, T, E), with those of a prompt.
    public func withPrompt(_ embedded: Tensor) throws -> Tensor {
        guard let prompt else { return embedded }
        let virtual = try prompt.part.embeddings(mode, dtype: embedded.dtype)
        return try prompt.places.inserting(virtual, into: embedded)
    }

    /// The blocks' output without what stands at a prompt's tokens: (B, T, E).
    public func withoutPrompt(_ hidden: Tensor) throws -> Tensor {
        try prompt?.places.own(of: hidden) ?? hidden
    }

    /// The tokens' places in their sequences, (T) or (B, T), and the greatest plus one. A prefix takes
    /// the first ones.
    public func positions() throws -> (Tensor, length: Int) {
        let (positions, length) = try layout.positions(past: past, count: count, device: device)
        guard let skipped = prefix?.places.count else { return (positions, length) }
        return (try positions + Tensor([skipped]).to(device: device), length + skipped)
    }

    /// What each query sees.
    /// - Parameter window: how many tokens, its own counted; nil for all before it.
    public func visibleKeys(window: Int?) -> VisibleKeys {
        (prefix?.places.layout ?? layout).visibleKeys(
            past: past, count: attendedCount, window: window, device: device)
    }

    /// Tokens of a row that are attended to in this pass, those of a cache not counted.
    public var attendedCount: Int { prefix?.places.rowLength ?? count }

}
