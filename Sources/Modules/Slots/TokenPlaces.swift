import DualTorch

/// Where the sequences of a batch stand in its rows (B, T).
public struct TokenPlaces: Sendable {
    /// Each sequence's row, and its tokens without padding.
    public let sequences: [(row: Int, tokens: Range<Int>)]
    /// The same of the prompts, which are whole sequences where nothing else is said.
    public let prompts: [(row: Int, tokens: Range<Int>)]
    /// Whether these tokens follow others that a cache holds: the prompt has been read.
    public let isContinuation: Bool

    /// - Parameter promptLengths: of the sequences, in their order; nil for whole ones.
    public init(
        sequences: [(row: Int, tokens: Range<Int>)], promptLengths: [Int]? = nil,
        isContinuation: Bool = false
    ) {
        self.sequences = sequences
        self.isContinuation = isContinuation
        prompts =
            promptLengths.map {
                zip(sequences, $0).map { ($0.row, $0.tokens.prefix($1)) }
            } ?? sequences
    }
}

extension BatchLayout {
    /// - Parameters:
    ///   - past: tokens that stand in a cache before these.
    ///   - count: T.
    public func places(past: Int, count: Int) -> TokenPlaces {
        var found: [(row: Int, tokens: Range<Int>)] = []
        var promptLengths: [Int]?
        switch self {
        case .rows(let padding, let lengths, let prompts):
            for (row, skipped) in padding.enumerated() where skipped < past + count {
                let end = lengths.map { min(past + count, skipped + $0[row]) } ?? past + count
                found.append((row, max(0, skipped - past)..<max(0, end - past)))
            }
            promptLengths = prompts.map { prompts in found.map { prompts[$0.row] } }
        case .packed(let lengths, let prompts):
            var start = 0
            for length in lengths {
                found.append((0, start..<start + length))
                start += length
            }
            promptLengths = prompts
        }
        return TokenPlaces(
            sequences: found, promptLengths: promptLengths, isContinuation: past > 0)
    }
}
