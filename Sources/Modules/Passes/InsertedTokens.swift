import DualTorch

/// The virtual tokens of one forward pass: those of a prompt, which go through the blocks, and those of a
/// prefix, which attention alone sees.
struct InsertedTokens {
    let prompt, prefix: VirtualTokens?
    /// Of the rows that go through the blocks: how sequences lie in them, and their tokens.
    let layout: BatchLayout
    let count: Int
    /// The same of the rows that are attended to, a prefix's tokens counted.
    let attendedLayout: BatchLayout
    let attendedCount: Int
    private let promptPart: (any InputPrompt)?
    /// A prefix's keys and values (V, G, D), by layer.
    private let keysAndValues: [[Tensor]]
    private let mode: ForwardMode

    /// - Parameters:
    ///   - slots: nil where the virtual tokens are in a cache already.
    ///   - layout: of the rows without virtual tokens.
    ///   - count: T, the tokens of a row without virtual ones.
    ///   - dtype: of keys and values.
    init(
        _ slots: AdapterSlots?, into layout: BatchLayout, count: Int, device: Device,
        dtype: DType, mode: ForwardMode
    ) throws {
        var (layout, count) = (layout, count)
        func insert(_ virtual: Int) throws -> VirtualTokens {
            let tokens = try VirtualTokens(virtual, before: layout, length: count, device: device)
            (layout, count) = (tokens.layout, tokens.rowLength)
            return tokens
        }
        self.mode = mode
        promptPart = slots?.prompt?.adapter
        prompt = try promptPart.map { try insert($0.count) }
        (self.layout, self.count) = (layout, count)
        let prefixPart = slots?.prefix?.adapter
        prefix = try prefixPart.map { try insert($0.count) }
        (attendedLayout, attendedCount) = (layout, count)
        let all = try prefixPart?.keysAndValues(mode, dtype: dtype).unbound(along: 1) ?? []
        keysAndValues = stride(from: 0, to: all.count, by: 2).map { Array(all[$0..<$0 + 2]) }
    }

    /// Embeddings of the tokens (B, T, E), with those of the prompt before each sequence.
    func withPrompt(_ embedded: Tensor) throws -> Tensor {
        guard let promptPart, let prompt else { return embedded }
        let virtual = try promptPart.embeddings(mode, dtype: embedded.dtype)
        return try prompt.inserting(virtual, into: embedded)
    }

    /// The prefix's keys and values in one layer; none without a prefix.
    func prefix(ofLayer index: Int) -> [Tensor] {
        prefix == nil ? [] : keysAndValues[index]
    }

    /// One layer's keys and values with their places; nil without a prefix.
    func layerPrefix(_ keysAndValues: [Tensor]) -> LayerPrefix? {
        prefix.map { LayerPrefix(keys: keysAndValues[0], values: keysAndValues[1], tokens: $0) }
    }
}
