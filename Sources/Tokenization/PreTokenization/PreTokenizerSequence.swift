/// Splits by one pre-tokenizer after the other: `pre_tokenizers.Sequence` of `tokenizers`.
struct PreTokenizerSequence: PreTokenizer {
    let preTokenizers: [any PreTokenizer]

    var asksForOpening: Bool { preTokenizers.contains(where: \.asksForOpening) }

    func split(_ words: inout Words) throws(RegexError) {
        for preTokenizer in preTokenizers { try preTokenizer.split(&words) }
    }
}
