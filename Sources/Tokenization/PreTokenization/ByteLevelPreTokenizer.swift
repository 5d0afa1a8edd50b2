/// `ByteLevel` of `tokenizers`: splits as GPT-2 does, and spells bytes as characters.
struct ByteLevelPreTokenizer: PreTokenizer {
    let addsPrefixSpace: Bool
    /// GPT-2's pattern; nil leaves words as they are.
    let pattern: RegularExpression?

    static let gpt2Pattern =
        #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

    func split(_ words: inout Words) throws(RegexError) {
        if addsPrefixSpace {
            words.rewrite { text, word, result in
                if text[word.lowerBound] != " " { result.append(" ") }
                result += text[word]
            }
        }
        if let pattern { try words.split(.isolated, at: pattern) }
        let alphabet = ByteAlphabet.scalars
        words.rewrite { text, word, result in
            for index in word { ByteAlphabet.append(text[index], to: &result, alphabet) }
        }
    }
}
