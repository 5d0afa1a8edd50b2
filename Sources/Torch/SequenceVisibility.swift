/// Which tokens of a batch see one another.
package struct SequenceVisibility {
    /// Rows of the batch, and tokens of them, that each sequence takes.
    package let sequences: [(row: Int, tokens: Range<Int>)]
    /// Whether a token sees those up to itself alone.
    package let isCausal: Bool
    /// How many tokens, its own counted, a token sees; nil for all. Only where attention is causal.
    package let window: Int?

    package init(
        sequences: [(row: Int, tokens: Range<Int>)], isCausal: Bool, window: Int? = nil
    ) {
        self.sequences = sequences
        self.isCausal = isCausal
        self.window = window
    }
}
