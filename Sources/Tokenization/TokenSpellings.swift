/// How the ids of one tokenizer are spelled: added tokens first, then the model's vocabulary.
final class TokenSpellings: Sendable {
    private let added: AddedTokens
    private let vocabulary: Vocabulary
    private let special: Set<[UInt8]>

    init(added: AddedTokens, vocabulary: Vocabulary) {
        self.added = added
        self.vocabulary = vocabulary
        special = added.specialSpellings
    }

    func spelling(of id: Int) -> String? {
        added.tokens[id]?.content ?? vocabulary.token(for: id)
    }

    /// The spelling that a decoder is given: that of an added token is its normalized form.
    func decodedSpelling(of id: Int) -> String? {
        added.normalizedForms[id] ?? spelling(of: id)
    }

    /// Whether a token is spelled like a special one.
    func isSpecial(_ token: String) -> Bool {
        !special.isEmpty && special.contains(Array(token.utf8))
    }
}
