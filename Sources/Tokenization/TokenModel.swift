/// The third stage: turns words into tokens of a vocabulary.
protocol TokenModel: Sendable {
    /// Vocabulary tokens and their ids, added tokens not counted.
    var vocabulary: Vocabulary { get }

    /// Appends the tokens of all words, in order.
    func tokenize(_ words: Words, into pieces: inout Pieces)
}
