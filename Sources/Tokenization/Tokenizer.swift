import DualJSON
import Foundation

/// Turns text into the token ids that a model was trained on.
///
/// The reference is Hugging Face `tokenizers`: for any text the ids, type ids and tokens are those
/// of its `Tokenizer.from_file("tokenizer.json").encode(text)`, padding and truncation aside. The
/// stages are its stages: added tokens, normalizer, pre-tokenizer, model, post-processor.
public struct Tokenizer: Sendable {
    /// Files that belong to a tokenizer and are copied along with a merged checkpoint.
    package static let fileNames =
        [
            "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt",
            "vocab.json", "merges.txt", "added_tokens.json", "chat_template.jinja",
        ] + SentencePieceFolder.fileNames

    let normalizer: (any Normalizer)?
    let preTokenizer: (any PreTokenizer)?
    let model: any TokenModel
    let addedTokens: AddedTokens
    let postProcessor: TemplateProcessing
    let decoder: any TokenDecoder
    let spellings: TokenSpellings

    /// The largest id plus one, added tokens counted: how many rows an embedding needs.
    public let vocabularySize: Int
    /// The id that fills a batch up: that of `pad_token`, or of `[PAD]`, or 0.
    public let paddingID: Int
    /// The id of `bos_token`, if the tokenizer's files name one that it has.
    public let beginningOfTextID: Int?
    /// The id of `eos_token`, if the tokenizer's files name one that it has.
    public let endOfTextID: Int?

    init(
        normalizer: (any Normalizer)?, preTokenizer: (any PreTokenizer)?, model: any TokenModel,
        addedTokens: AddedTokens, postProcessor: TemplateProcessing, decoder: (any TokenDecoder)?,
        roles: TokenRoles
    ) {
        self.normalizer = normalizer
        self.preTokenizer = preTokenizer
        self.model = model
        self.addedTokens = addedTokens
        self.postProcessor = postProcessor
        self.decoder = decoder ?? SpacedDecoder()
        spellings = TokenSpellings(added: addedTokens, vocabulary: model.vocabulary)
        vocabularySize = max(model.vocabulary.maximumID, addedTokens.tokens.keys.max() ?? -1) + 1
        func id(_ token: String) -> Int? {
            addedTokens.id(for: token) ?? model.vocabulary.id(for: token)
        }
        paddingID = id(roles.padding ?? "[PAD]") ?? 0
        beginningOfTextID = roles.beginningOfText.flatMap(id)
        endOfTextID = roles.endOfText.flatMap(id)
    }

    /// Loads `tokenizer.json`, or when there is none `vocab.json` with `merges.txt`, or `vocab.txt`,
    /// or `tokenizer.model`, all with `tokenizer_config.json`.
    ///
    /// The truncation and padding that a `tokenizer.json` may ask for are ignored, as
    /// `transformers` ignores them: whoever builds a batch decides.
    ///
    /// - Throws: `TokenizerError`, naming the file and the field at fault.
    public static func load(from folder: URL) throws -> Tokenizer {
        try load(from: ModelFiles(folder: folder))
    }

    /// Loads the tokenizer of a model's files.
    /// - Throws: `TokenizerError`, naming the file and the field at fault.
    public static func load(from files: ModelFiles) throws -> Tokenizer {
        let files = TokenizerFolder(files)
        if files.has("tokenizer.json") { return try TokenizerFile.load(from: files) }
        if files.has(BytePairFiles.mergesName), files.has(BytePairFiles.vocabularyName) {
            return try BytePairFiles.load(from: files)
        }
        if files.has("vocab.txt") { return try VocabularyFile.load(from: files) }
        if let tokenizer = try SentencePieceFolder.load(from: files) { return tokenizer }
        throw TokenizerError.missingFile(
            folder: files.url.path,
            wanted: [
                "tokenizer.json", "vocab.json with merges.txt", "vocab.txt", "tokenizer.model",
            ])
    }

    /// Encodes a text, or a pair of texts, as `Tokenizer.encode` of `tokenizers` does.
    ///
    /// - Parameters:
    ///   - addingSpecialTokens: whether the template's special tokens, such as `[CLS]`, come in.
    ///     Added tokens that are spelled out in the text are found either way.
    ///   - maximumLength: the most tokens to return, special tokens included. The longer text is
    ///     cut first, at its end (`strategy="longest_first"`).
    /// - Throws: `TokenizerError.maximumLengthTooSmall` when the special tokens alone are longer, and
    ///   `TokenizerError.costlyPattern` when a regular expression of the tokenizer takes too long.
    public func encode(
        _ text: String, pair: String? = nil, addingSpecialTokens: Bool = true,
        maximumLength: Int? = nil
    ) throws -> Encoding {
        var first = try pieces(of: text)
        var second = try pair.map { try pieces(of: $0) }
        if let maximumLength {
            let special =
                addingSpecialTokens ? postProcessor.specialTokenCount(forPair: pair != nil) : 0
            guard maximumLength >= special else {
                throw TokenizerError.maximumLengthTooSmall(
                    maximum: maximumLength, specialTokens: special)
            }
            Truncation.longestFirst(&first, &second, limit: maximumLength - special)
        }
        return Encoding(
            postProcessor.join(first, second, addingSpecialTokens: addingSpecialTokens),
            vocabulary: spellings)
    }

    /// The text of ids, as `Tokenizer.decode` of `tokenizers` gives it. Ids that the tokenizer
    /// does not have are passed over.
    public func decode(_ ids: [Int], skippingSpecialTokens: Bool = false) -> String {
        var stream = makeStreamingDecoder(skippingSpecialTokens: skippingSpecialTokens)
        var text = ""
        for id in ids { text += stream.append(id) }
        return text + stream.finish()
    }

    /// A decoder that takes ids one by one, as a model generates them.
    public func makeStreamingDecoder(skippingSpecialTokens: Bool = true) -> StreamingDecoder {
        StreamingDecoder(
            spellings: spellings, skipsSpecialTokens: skippingSpecialTokens, decoder: decoder)
    }

    /// Whether an id is that of a special token, which decoding can skip.
    public func isSpecial(_ id: Int) -> Bool {
        spellings.decodedSpelling(of: id).map(spellings.isSpecial) ?? false
    }

    /// The spelling of an id in the vocabulary or among the added tokens.
    public func token(for id: Int) -> String? {
        spellings.spelling(of: id)
    }

    /// The id of a token that is spelled exactly so, scalar by scalar.
    public func id(for token: String) -> Int? {
        addedTokens.id(for: token) ?? model.vocabulary.id(for: token)
    }

    /// All tokens of one text, before truncation and special tokens.
    private func pieces(of text: String) throws(TokenizerError) -> Pieces {
        do throws(RegexError) {
            return try pieces(ofSegmentsOf: text)
        } catch {
            throw .costlyPattern(reason: error.reason)
        }
    }

    private func pieces(ofSegmentsOf text: String) throws(RegexError) -> Pieces {
        var pieces = Pieces()
        let segments = try addedTokens.split(
            Array(text.unicodeScalars), normalizer: normalizer,
            asksForOpening: preTokenizer?.asksForOpening ?? false)
        for segment in segments {
            switch segment {
            case .token(let piece): pieces.append(piece)
            case .text(let scalars, let opening):
                var words = Words(scalars, opening: opening)
                try preTokenizer?.split(&words)
                model.tokenize(words, into: &pieces)
            }
        }
        return pieces
    }
}
