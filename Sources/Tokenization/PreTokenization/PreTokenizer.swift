/// The second stage: splits a normalized text into the words that the model sees.
protocol PreTokenizer: Sendable {
    /// Cuts each word by itself.
    func split(_ words: inout Words) throws(RegexError)

    /// Whether it matters to it which words stand for the beginning of the text.
    var asksForOpening: Bool { get }
}

extension PreTokenizer {
    var asksForOpening: Bool { false }
}
