/// Which tokens of a batch see one another.
public struct SequenceVisibility {
    /// Rows of the batch, and tokens of them, that each sequence takes.
    public let sequences: [(row: Int, tokens: Range<Int>)]
    /// Whether a token sees those up to itself alone.
    public let isCausal: Bool
    /// How many tokens, its own counted, a token sees; nil for all. Only where attention is causal.
    public let window: Int?

    public init(
        sequences: [(row: Int, tokens: Range<Int>)], isCausal: Bool, window: Int? = nil
    ) {
        self.sequences = sequences
        self.isCausal = isCausal
        self.window = window
    }
}
