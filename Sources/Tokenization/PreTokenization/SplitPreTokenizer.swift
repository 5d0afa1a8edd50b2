/// `Split` of `tokenizers`: splits at the matches of a pattern.
struct SplitPreTokenizer: PreTokenizer {
    let pattern: RegularExpression
    let behavior: SplitBehavior
    var isInverted = false

    func split(_ words: inout Words) throws(RegexError) {
        try words.split(behavior, at: pattern, isInverted: isInverted)
    }
}
