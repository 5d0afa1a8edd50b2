/// The second stage: splits a normalized text into the words that the model sees.
protocol PreTokenizer: Sendable {
    /// Cuts each word by itself.
    func split(_ words: inout Words)
}
