/// `Punctuation` of `tokenizers`.
struct PunctuationPreTokenizer: PreTokenizer {
    let behavior: SplitBehavior

    func split(_ words: inout Words) {
        words.split(behavior) { $0.isBertPunctuation }
    }
}
