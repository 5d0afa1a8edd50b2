/// `Metaspace` of `tokenizers` (`pre_tokenizers/metaspace.rs`): makes spaces visible, puts one
/// before the text, and cuts before each.
struct Metaspace: PreTokenizer, Decodable {
    enum PrependScheme: String, Decodable {
        /// Before every stretch of text between added tokens.
        case always
        /// Before a word that stands for the first scalar of a text: none does where a normalizer
        /// removed that.
        case first
        case never
    }

    let replacement: Unicode.Scalar
    let prependScheme: PrependScheme
    let splits: Bool

    private enum CodingKeys: String, CodingKey {
        case replacement, add_prefix_space, prepend_scheme, split
    }

    /// `add_prefix_space` is how the scheme was spelled once: `false` says never, and is an error
    /// beside another scheme.
    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        replacement = try values.decodeScalar(.replacement)
        splits = try values.decodeIfPresent(Bool.self, forKey: .split) ?? true
        let addsPrefix = try values.decodeIfPresent(Bool.self, forKey: .add_prefix_space) ?? true
        let scheme =
            try values.contains(.prepend_scheme)
            ? values.decode(PrependScheme.self, forKey: .prepend_scheme) : .always
        guard addsPrefix || scheme == .never else {
            throw DecodingError.dataCorruptedError(
                forKey: .add_prefix_space, in: values,
                debugDescription: "it is false, and prepend_scheme is not 'never'")
        }
        prependScheme = scheme
    }

    var asksForOpening: Bool { prependScheme == .first }

    func split(_ words: inout Words) {
        let opening = words.opening
        words.rewrite { text, word, result in
            if prepends(to: text[word], startsText: word.lowerBound < opening) {
                result.append(replacement)
            }
            for scalar in text[word] { result.append(scalar == " " ? replacement : scalar) }
        }
        guard splits else { return }
        words.split { text, word, newWords in
            var start = word.lowerBound
            for index in word.dropFirst() where text[index] == replacement {
                newWords.append(start..<index)
                start = index
            }
            newWords.append(start..<word.upperBound)
        }
    }

    private func prepends(to word: ArraySlice<Unicode.Scalar>, startsText: Bool) -> Bool {
        guard word.first != replacement, word.first != " " else { return false }
        switch prependScheme {
        case .always: return true
        case .first: return startsText
        case .never: return false
        }
    }
}
