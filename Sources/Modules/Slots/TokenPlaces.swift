import DualTorch

/// Where the sequences of a batch stand in its rows (B, T).
public struct TokenPlaces: Sendable {
    /// Each sequence's row, and its tokens without padding.
    public let sequences: [(row: Int, tokens: Range<Int>)]
    /// Whether these tokens follow others that a cache holds: the prompt has been read.
    public let isContinuation: Bool

    public init(sequences: [(row: Int, tokens: Range<Int>)], isContinuation: Bool = false) {
        self.sequences = sequences
        self.isContinuation = isContinuation
    }
}

extension BatchLayout {
    /// - Parameters:
    ///   - past: tokens that stand in a cache before these.
    ///   - count: T.
    public func places(past: Int, count: Int) -> TokenPlaces {
        var found: [(row: Int, tokens: Range<Int>)] = []
        switch self {
        case .rows(let padding, let lengths):
            for (row, skipped) in padding.enumerated() where skipped < past + count {
                let end = lengths.map { min(past + count, skipped + $0[row]) } ?? past + count
                found.append((row, max(0, skipped - past)..<max(0, end - past)))
            }
        case .packed(let lengths):
            var start = 0
            for length in lengths {
                found.append((0, start..<start + length))
                start += length
            }
        }
        return TokenPlaces(sequences: found, isContinuation: past > 0)
    }
}
