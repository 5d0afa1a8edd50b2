/// Byte pair encoding as in `tokenizers` (`models/bpe`): a word starts as characters, and the
/// neighbours whose merge was learnt first are joined, again and again.
struct BPE: TokenModel {
    struct Options: Equatable, Sendable {
        /// What stands for a character that the vocabulary does not have; nil drops it.
        var unknownToken: String?
        /// Whether neighbouring unknown characters become one unknown token.
        var fusesUnknown = false
        /// Whether an unknown character becomes tokens such as `<0x0A>`, one for each byte.
        var fallsBackToBytes = false
        /// What is put before every character of a word but the first.
        var continuationPrefix = ""
        /// What is put behind the last character of a word.
        var wordSuffix = ""
        /// Whether a word that is a token as a whole is not looked at further.
        var ignoresMerges = false
    }

    let vocabulary: Vocabulary
    private let options: Options
    private let merges: MergeTable
    private let unknownID: Int?
    /// The ids of tokens of one character, where nothing is put around characters.
    private let characters: CharacterIDs
    /// The ids of the tokens `<0x00>` to `<0xFF>`.
    private let byteIDs: [Int?]
    private let cache = WordCache()

    /// - Parameter merges: the two parts of each merge, one behind the other, by rank.
    /// - Throws: `TokenizerError` for a merge of tokens, or into one, that do not exist, and for
    ///   an unknown token that does not, unless the vocabulary spells all bytes: then no character
    ///   is unknown.
    init(
        vocabulary: Vocabulary, merges: TokenList, options: Options, file: String
    ) throws(TokenizerError) {
        self.vocabulary = vocabulary
        self.options = options
        self.merges = try MergeTable(
            merges, vocabulary, prefixLength: options.continuationPrefix.utf8.count, file: file)
        unknownID = options.unknownToken.flatMap(vocabulary.id(for:))
        characters = CharacterIDs(vocabulary)
        if let token = options.unknownToken, unknownID == nil, !characters.spellAllBytes {
            throw .missingToken(file: file, field: "model.unk_token", token: token)
        }
        byteIDs = (0...0xFF).map { vocabulary.id(for: SentencePieceByte.token(of: $0)) }
    }

    func tokenize(_ words: Words, into pieces: inout Pieces) {
        cache.withTable { table in
            var scratch = BPEScratch()
            words.scalars.withUnsafeBufferPointer { scalars in
                for range in words.ranges {
                    let word = UnsafeBufferPointer(rebasing: scalars[range])
                    table.append(word, to: &pieces) { tokenize(word, &scratch) }
                }
            }
        }
    }

    /// The ids of one word, in the scratch space.
    private func tokenize(
        _ word: UnsafeBufferPointer<Unicode.Scalar>, _ scratch: inout BPEScratch
    ) -> [Int] {
        if options.ignoresMerges {
            scratch.bytes.removeAll(keepingCapacity: true)
            for scalar in word { scratch.append(scalar) }
            if let id = scratch.bytes.withUnsafeBufferPointer(vocabulary.id(forUTF8:)) {
                return [id]
            }
        }
        scratch.symbols.removeAll(keepingCapacity: true)
        addSymbols(of: word, to: &scratch)
        merges.apply(to: &scratch)
        return scratch.ids
    }

    /// Appends the tokens that a word starts as.
    ///
    /// As in `tokenizers`, an unknown character waits until a known one or the end of the word
    /// comes, and tokens of bytes pass it by.
    private func addSymbols(
        of word: UnsafeBufferPointer<Unicode.Scalar>, to scratch: inout BPEScratch
    ) {
        var waiting: Int?
        for (index, scalar) in word.enumerated() {
            if let id = id(of: scalar, index == 0, index == word.count - 1, &scratch) {
                if let unknown = waiting { scratch.add(unknown) }
                waiting = nil
                scratch.add(id)
                continue
            }
            if options.fallsBackToBytes, addBytes(&scratch) { continue }
            guard let unknownID else { continue }
            if let unknown = waiting, !options.fusesUnknown { scratch.add(unknown) }
            waiting = unknownID
        }
        if let unknown = waiting { scratch.add(unknown) }
    }

    /// The token of a character, with what is put around it; where there is none, its bytes are
    /// left in the scratch space.
    private func id(
        of scalar: Unicode.Scalar, _ isFirst: Bool, _ isLast: Bool, _ scratch: inout BPEScratch
    ) -> Int? {
        let prefix = isFirst ? "" : options.continuationPrefix
        let suffix = isLast ? options.wordSuffix : ""
        if prefix.isEmpty, suffix.isEmpty, let known = characters.id(of: scalar) {
            if known >= 0 { return known }
            scratch.bytes.removeAll(keepingCapacity: true)
            scratch.append(scalar)
            return nil
        }
        scratch.bytes.removeAll(keepingCapacity: true)
        scratch.bytes += prefix.utf8
        scratch.append(scalar)
        scratch.bytes += suffix.utf8
        return scratch.bytes.withUnsafeBufferPointer(vocabulary.id(forUTF8:))
    }

    /// Adds a token for each byte in the scratch space, if all of them have one.
    private func addBytes(_ scratch: inout BPEScratch) -> Bool {
        let ids = scratch.bytes.compactMap { byteIDs[Int($0)] }
        guard ids.count == scratch.bytes.count else { return false }
        for id in ids { scratch.add(id) }
        return true
    }
}

/// The ids of the tokens that are one character of the first blocks of Unicode, which hold the
/// alphabet of byte-level tokenizers.
private struct CharacterIDs: Sendable {
    private let ids: [Int]

    init(_ vocabulary: Vocabulary) {
        ids = (0..<0x800).map { value in
            Unicode.Scalar(value).flatMap { vocabulary.id(for: String($0)) } ?? -1
        }
    }

    /// Whether every character of the byte-level alphabet is a token.
    var spellAllBytes: Bool { ByteAlphabet.scalars.allSatisfy { id(of: $0) ?? -1 >= 0 } }

    /// The id, -1 where there is no token, or nil for a character of another block.
    @inline(__always)
    func id(of scalar: Unicode.Scalar) -> Int? {
        scalar.value < ids.count ? ids[Int(scalar.value)] : nil
    }
}
