import DualTorch

/// Sequences of one batch, padded to one length.
public struct TokenBatch {
    /// (B, T) of int64.
    public let ids: Tensor
    /// (B, T) of int64: which of a pair of sentences a token is of.
    public let typeIDs: Tensor
    /// (B, T) of bool, true at tokens; nil where nothing is padded.
    public let mask: Tensor?
    /// Tokens without padding.
    public let tokenCount: Int

    public enum Side: String, CaseIterable, Sendable { case left, right }

    /// - Parameter sequences: token and type numbers of each sequence; none may be empty.
    public init(
        _ sequences: [(ids: [Int], typeIDs: [Int])], paddingID: Int, side: Side = .right,
        device: Device = .cpu
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
    }
}

private func pad<Element>(
    _ values: [Element], with filler: Element, _ count: Int, _ side: TokenBatch.Side
) -> [Element] {
    let padding = [Element](repeating: filler, count: count)
    return side == .right ? values + padding : padding + values
}
