/// `Split` of `tokenizers`: splits at the matches of a pattern.
struct SplitPreTokenizer: PreTokenizer {
    let pattern: RegularExpression
    let behavior: SplitBehavior
    var isInverted = false

    func split(_ words: inout Words) {
        words.split(behavior, at: pattern, isInverted: isInverted)
    }
}

/// `Digits` of `tokenizers`: puts numbers apart, as a whole or digit by digit.
struct DigitsPreTokenizer: PreTokenizer {
    let separatesDigits: Bool

    func split(_ words: inout Words) {
        words.split(separatesDigits ? .isolated : .contiguous) { $0.isRustNumeric }
    }
}

/// `Punctuation` of `tokenizers`.
struct PunctuationPreTokenizer: PreTokenizer {
    let behavior: SplitBehavior

    func split(_ words: inout Words) {
        words.split(behavior) { $0.isBertPunctuation }
    }
}

/// `CharDelimiterSplit` of `tokenizers`: a character separates, and nothing else does.
struct DelimiterPreTokenizer: PreTokenizer {
    let delimiter: Unicode.Scalar

    func split(_ words: inout Words) {
        words.split(.removed) { $0 == delimiter }
    }
}

/// `ByteLevel` of `tokenizers`: splits as GPT-2 does, and spells bytes as characters.
struct ByteLevelPreTokenizer: PreTokenizer {
    let addsPrefixSpace: Bool
    /// GPT-2's pattern; nil leaves words as they are.
    let pattern: RegularExpression?

    static let gpt2Pattern =
        #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

    func split(_ words: inout Words) {
        if addsPrefixSpace {
            words.rewrite { text, word, result in
                if text[word.lowerBound] != " " { result.append(" ") }
                result += text[word]
            }
        }
        if let pattern { words.split(.isolated, at: pattern) }
        let alphabet = ByteAlphabet.scalars
        words.rewrite { text, word, result in
            for index in word { ByteAlphabet.append(text[index], to: &result, alphabet) }
        }
    }
}

/// `ByteLevel` of `tokenizers` as a normalizer: spells bytes as characters.
struct ByteLevelNormalizer: Normalizer {
    func normalize(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(text.count)
        let alphabet = ByteAlphabet.scalars
        for scalar in text { ByteAlphabet.append(scalar, to: &result, alphabet) }
        return result
    }
}
