/// `BertPreTokenizer` of `tokenizers`: white space separates, punctuation stands alone.
struct BertPreTokenizer: PreTokenizer {
    func split(_ words: inout Words) {
        words.splitByClass { scalar in
            if scalar.isRustWhitespace { return .separator }
            return scalar.isBertPunctuation ? .alone : .word
        }
    }
}
