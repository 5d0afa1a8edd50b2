/// `CharDelimiterSplit` of `tokenizers`: a character separates, and nothing else does.
struct DelimiterPreTokenizer: PreTokenizer {
    let delimiter: Unicode.Scalar

    func split(_ words: inout Words) {
        words.split(.removed) { $0 == delimiter }
    }
}
