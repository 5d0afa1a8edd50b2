/// `WhitespaceSplit` of `tokenizers`: white space separates, and nothing else does.
struct WhitespaceSplit: PreTokenizer {
    func split(_ words: inout Words) {
        words.splitByClass { $0.isRustWhitespace ? .separator : .word }
    }
}
