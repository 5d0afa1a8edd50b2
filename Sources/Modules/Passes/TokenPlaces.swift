import DualTorch

/// The places of a batch's sequences in its rows (B, T).
public struct TokenPlaces: Sendable {
    /// Each sequence's row, and its tokens without padding.
    public let sequences: [(row: Int, tokens: Range<Int>)]
    /// Each prompt's row and tokens; a prompt is the whole sequence where nothing else is said.
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

    /// The places of whole sequences in rows that begin with `count` more tokens.
    func shifted(by count: Int) -> TokenPlaces {
        TokenPlaces(
            sequences: sequences.map {
                ($0.row, $0.tokens.lowerBound + count..<$0.tokens.upperBound + count)
            })
    }
}
