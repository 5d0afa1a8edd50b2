import Foundation

/// `tokenizer.json`, the format of Hugging Face `tokenizers`.
struct TokenizerFile: Decodable {
    private static let name = "tokenizer.json"

    private let addedTokens: [AddedToken]?
    private let normalizer: NormalizerField?
    private let preTokenizer: PreTokenizerField?
    private let model: ModelField
    private let postProcessor: PostProcessorField?

    private enum CodingKeys: String, CodingKey {
        case normalizer, model
        case addedTokens = "added_tokens"
        case preTokenizer = "pre_tokenizer"
        case postProcessor = "post_processor"
    }

    /// The vocabulary is taken out of the text first: `JSONDecoder` keeps an object's keys in a
    /// `Dictionary` of `String`, where canonically equivalent tokens would become one.
    static func load(from folder: TokenizerFolder) throws -> Tokenizer {
        let path = folder.path(name)
        var bytes = try folder.text(name)
        let field = "model.vocab"
        let listed = try VocabularyExtractor(bytes, file: path).extract(field: field)
        if let listed { bytes.replaceSubrange(listed.range, with: "{}".utf8) }
        let file = try folder.decode(TokenizerFile.self, from: bytes, name)
        guard let listed else { throw TokenizerError.missingKey(file: path, field: field) }
        let vocabulary = try Vocabulary(listed.tokens, file: path, field: field)
        guard let unknown = vocabulary.entry(for: file.model.unknownToken.unicodeScalars) else {
            throw TokenizerError.missingToken(
                file: path, field: "model.unk_token", token: file.model.unknownToken)
        }
        let settings = try folder.decodeIfPresent(
            TokenizerSettings.self, TokenizerSettings.fileName)
        let normalizer = file.normalizer?.normalizer
        return Tokenizer(
            normalizer: normalizer,
            preTokenizer: file.preTokenizer?.preTokenizer,
            model: WordPiece(
                vocabulary: vocabulary, unknown: unknown,
                continuationPrefix: file.model.continuationPrefix,
                maximumWordLength: file.model.maximumWordLength),
            addedTokens: try AddedTokens(
                file.addedTokens ?? [], vocabulary: vocabulary, normalizer: normalizer, file: path),
            postProcessor: file.postProcessor?.postProcessor ?? PlainPostProcessor(),
            paddingToken: (settings ?? TokenizerSettings()).paddingToken.content)
    }
}

/// The `type` of a stage, read before the rest of its fields.
private enum TypeKey: String, CodingKey { case type }

extension Decoder {
    fileprivate func unsupported(_ found: String, _ supported: [String]) -> UnsupportedType {
        let path = codingPath + [TypeKey.type]
        return UnsupportedType(field: path.field, found: found, supported: supported)
    }

    fileprivate func type() throws -> String {
        try container(keyedBy: TypeKey.self).decode(String.self, forKey: .type)
    }
}

private struct ModelField: Decodable {
    let unknownToken: String
    let continuationPrefix: String
    let maximumWordLength: Int

    private enum CodingKeys: String, CodingKey {
        case unk_token, continuing_subword_prefix, max_input_chars_per_word
    }

    init(from decoder: any Decoder) throws {
        let type = try decoder.type()
        guard type == "WordPiece" else { throw decoder.unsupported(type, ["WordPiece"]) }
        let values = try decoder.container(keyedBy: CodingKeys.self)
        unknownToken = try values.decode(String.self, forKey: .unk_token)
        continuationPrefix = try values.decode(String.self, forKey: .continuing_subword_prefix)
        maximumWordLength = Int(
            try values.decode(UInt32.self, forKey: .max_input_chars_per_word))
    }
}

private struct NormalizerField: Decodable {
    let normalizer: any Normalizer

    private enum CodingKeys: String, CodingKey {
        case normalizers, clean_text, handle_chinese_chars, strip_accents, lowercase
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let type = try decoder.type()
        switch type {
        case "BertNormalizer":
            normalizer = BertNormalizer(
                cleansText: try values.decode(Bool.self, forKey: .clean_text),
                separatesChinese: try values.decode(Bool.self, forKey: .handle_chinese_chars),
                stripsAccents: try values.decodeIfPresent(Bool.self, forKey: .strip_accents),
                lowercases: try values.decode(Bool.self, forKey: .lowercase))
        case "Lowercase": normalizer = Lowercase()
        case "StripAccents": normalizer = StripAccents()
        case "NFD": normalizer = UnicodeNormalization(form: .nfd)
        case "NFC": normalizer = UnicodeNormalization(form: .nfc)
        case "NFKD": normalizer = UnicodeNormalization(form: .nfkd)
        case "NFKC": normalizer = UnicodeNormalization(form: .nfkc)
        case "Sequence":
            let fields = try values.decode([NormalizerField].self, forKey: .normalizers)
            normalizer = NormalizerSequence(normalizers: fields.map(\.normalizer))
        default:
            throw decoder.unsupported(
                type,
                [
                    "BertNormalizer", "Lowercase", "NFC", "NFD", "NFKC", "NFKD", "Sequence",
                    "StripAccents",
                ])
        }
    }
}

private struct PreTokenizerField: Decodable {
    let preTokenizer: any PreTokenizer

    private enum CodingKeys: String, CodingKey { case pretokenizers }

    init(from decoder: any Decoder) throws {
        let type = try decoder.type()
        switch type {
        case "BertPreTokenizer": preTokenizer = BertPreTokenizer()
        case "Whitespace": preTokenizer = Whitespace()
        case "WhitespaceSplit": preTokenizer = WhitespaceSplit()
        case "Sequence":
            let fields = try decoder.container(keyedBy: CodingKeys.self)
                .decode([PreTokenizerField].self, forKey: .pretokenizers)
            preTokenizer = PreTokenizerSequence(preTokenizers: fields.map(\.preTokenizer))
        default:
            throw decoder.unsupported(
                type, ["BertPreTokenizer", "Sequence", "Whitespace", "WhitespaceSplit"])
        }
    }
}
