import DualTraining

/// What became of a row of instruction data.
struct EncodedRow: Sendable {
    /// Those of which something is learnt.
    var examples: [CompletionExample] = []
    /// Examples that had too many tokens and are left out whole.
    var dropped = 0
    /// Examples of which there is nothing to learn.
    var empty = 0
    /// Examples whose question is cut for the answer.
    var cutQuestions = 0
    var unusedKeys = UnusedKeys()
    /// Whether a chat template put it into words.
    var usesTemplate = false
}
