/// Splits by one pre-tokenizer after the other: `pre_tokenizers.Sequence` of `tokenizers`.
struct PreTokenizerSequence: PreTokenizer {
    let preTokenizers: [any PreTokenizer]

    func split(_ words: inout Words) {
        for preTokenizer in preTokenizers { preTokenizer.split(&words) }
    }
}
