import DualModules
import DualTorch

/// How the rows of a batch lie when adapters put virtual tokens before them: as the reference's with
/// PEFT, before a row's padding too. Everything sees virtual tokens.
struct BertRows {
    private let prompt: (part: any InputPrompt, places: VirtualTokens)?
    let prefix: PrefixLayers?
    /// Of what goes through the layers. A prefix takes the first ones.
    let positions: Range<Int>
    private let mode: ForwardMode

    init(_ slots: AdapterSlots, _ batch: TokenBatch, dtype: DType, mode: ForwardMode) throws {
        let (B, T, device) = (batch.ids.size(0), batch.ids.size(1), batch.ids.device)
        self.mode = mode
        func places(_ count: Int, before length: Int) throws -> VirtualTokens {
            let rows = BatchLayout.rows(leftPadding: [Int](repeating: 0, count: B))
            return try VirtualTokens(count, before: rows, length: length, device: device)
        }
        prompt = try slots.prompt?.adapter.map { ($0, try places($0.count, before: T)) }
        let length = prompt?.places.rowLength ?? T
        prefix = try slots.prefix?.adapter.map { part in
            try PrefixLayers(
                part, places: places(part.count, before: length), dtype: dtype, mode: mode)
        }
        let first = prefix?.places.count ?? 0
        positions = first..<first + length
    }

    /// Embeddings of words (B, T, E) behind the prompt's.
    func withPrompt(_ words: Tensor) throws -> Tensor {
        guard let prompt else { return words }
        let virtual = try prompt.part.embeddings(mode, dtype: words.dtype)
        return try prompt.places.inserting(virtual, into: words)
    }

    /// Types (B, T) behind those of a prompt, which are 0.
    func withPrompt(types: Tensor) throws -> Tensor {
        guard let prompt else { return types }
        let zeros = try Tensor.zeros(
            [prompt.places.count], dtype: .int64, device: types.device)
        return try prompt.places.inserting(zeros, into: types)
    }

    /// (B, 1, T, S) of bool, true where a key is seen; nil for everywhere.
    func mask(of batch: TokenBatch) throws -> Tensor? {
        guard var mask = batch.mask else { return nil }
        for places in [prompt?.places, prefix?.places].compactMap(\.self) {
            let seen = try Tensor.ones([places.count], dtype: .bool, device: mask.device)
            mask = try places.inserting(seen, into: mask)
        }
        let (B, S) = (mask.size(0), mask.size(1))
        return try mask.reshaped(B, 1, 1, S).expanded([B, 1, positions.count, S])
    }

    /// Where the sequences stand in what goes through the layers.
    func places(of batch: TokenBatch) -> TokenPlaces {
        let shift = prompt?.places.count ?? 0
        let own = batch.layout.places(past: 0, count: batch.ids.size(1))
        return TokenPlaces(
            sequences: own.sequences.map {
                ($0.row, $0.tokens.lowerBound + shift..<$0.tokens.upperBound + shift)
            })
    }
}
