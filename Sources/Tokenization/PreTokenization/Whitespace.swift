/// `Whitespace` of `tokenizers`: the matches of `\w+|[^\w\s]+`.
struct Whitespace: PreTokenizer {
    func split(_ words: inout Words) {
        words.splitByClass { scalar in
            if scalar.isRustWhitespace { return .separator }
            return scalar.isRegexWord ? .word : .symbol
        }
    }
}
