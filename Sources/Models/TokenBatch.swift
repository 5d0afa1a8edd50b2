import DualModules
import DualTorch

/// Sequences of one batch: padded to one length, or packed into one row.
public struct TokenBatch {
    /// (B, T) of int64.
    public let ids: Tensor
    /// (B, T) of int64: which of a pair of sentences a token is of.
    public let typeIDs: Tensor
    /// (B, T) of bool, true at tokens; nil where nothing is padded.
    public let mask: Tensor?
    /// Tokens without padding.
    public let tokenCount: Int
    /// How the sequences lie in the rows.
    public let layout: BatchLayout

    public enum Side: String, CaseIterable, Sendable { case left, right }

    /// - Parameters:
    ///   - sequences: token and type numbers of each sequence; none may be empty.
    ///   - prompts: the lengths of their prompts, if answers follow them.
    public init(
        _ sequences: [(ids: [Int], typeIDs: [Int])], prompts: [Int]? = nil, paddingID: Int,
        side: Side = .right, device: Device = .cpu
    ) throws {
        let length = sequences.map(\.ids.count).max() ?? 0
        var (ids, types, mask) = ([Int](), [Int](), [Bool]())
        for sequence in sequences {
            let missing = length - sequence.ids.count
            ids += pad(sequence.ids, with: paddingID, missing, side)
            types += pad(sequence.typeIDs, with: 0, missing, side)
            mask += pad(sequence.ids.map { _ in true }, with: false, missing, side)
        }
        let shape = [sequences.count, length]
        self.ids = try Tensor(ids, shape).to(device: device)
        typeIDs = try Tensor(types, shape).to(device: device)
        tokenCount = sequences.reduce(0) { $0 + $1.ids.count }
        self.mask =
            tokenCount == sequences.count * length
            ? nil : try Tensor(mask, shape).to(device: device)
        layout = .rows(
            leftPadding: sequences.map { side == .left ? length - $0.ids.count : 0 },
            lengths: sequences.map(\.ids.count), prompts: prompts)
    }

    /// Sequences without types, padded.
    public init(
        ids sequences: [[Int]], prompts: [Int]? = nil, paddingID: Int, side: Side = .right,
        device: Device = .cpu
    ) throws {
        try self.init(
            sequences.map { ($0, $0.map { _ in 0 }) }, prompts: prompts, paddingID: paddingID,
            side: side, device: device)
    }

    /// Sequences one behind the other in one row, without padding; only for models that read from
    /// left to right, in which none sees another.
    public init(
        packed sequences: [[Int]], prompts: [Int]? = nil, device: Device = .cpu
    ) throws {
        let ids = sequences.flatMap { $0 }
        self.ids = try Tensor(ids, [1, ids.count]).to(device: device)
        typeIDs = try Tensor.zeros([1, ids.count], dtype: .int64, device: device)
        mask = nil
        tokenCount = ids.count
        layout = .packed(lengths: sequences.map(\.count), prompts: prompts)
    }
}

private func pad<Element>(
    _ values: [Element], with filler: Element, _ count: Int, _ side: TokenBatch.Side
) -> [Element] {
    let padding = [Element](repeating: filler, count: count)
    return side == .right ? values + padding : padding + values
}
