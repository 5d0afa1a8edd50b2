/// The part of `tokenizer_config.json` that this module reads.
struct TokenizerSettings: Decodable {
    static let fileName = "tokenizer_config.json"

    var lowercases = true
    var stripsAccents: Bool?
    var separatesChinese = true
    var unknownToken = AddedToken(content: "[UNK]")
    var separatorToken = AddedToken(content: "[SEP]")
    var paddingToken = AddedToken(content: "[PAD]")
    var classificationToken = AddedToken(content: "[CLS]")
    var maskToken = AddedToken(content: "[MASK]")
    /// Tokens of `added_tokens_decoder` beyond the five above, by ascending id.
    var otherTokens: [AddedToken] = []

    var specialTokens: [AddedToken] {
        [unknownToken, separatorToken, classificationToken, paddingToken, maskToken]
    }

    private enum CodingKeys: String, CodingKey {
        case do_lower_case, strip_accents, tokenize_chinese_chars, added_tokens_decoder
        case unk_token, sep_token, pad_token, cls_token, mask_token
    }

    init() {}

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func token(_ key: CodingKeys, default standard: AddedToken) throws -> AddedToken {
            try values.decodeIfPresent(NamedToken.self, forKey: key)?.token ?? standard
        }
        lowercases = try values.decodeIfPresent(Bool.self, forKey: .do_lower_case) ?? true
        stripsAccents = try values.decodeIfPresent(Bool.self, forKey: .strip_accents)
        separatesChinese =
            try values.decodeIfPresent(Bool.self, forKey: .tokenize_chinese_chars) ?? true
        unknownToken = try token(.unk_token, default: unknownToken)
        separatorToken = try token(.sep_token, default: separatorToken)
        paddingToken = try token(.pad_token, default: paddingToken)
        classificationToken = try token(.cls_token, default: classificationToken)
        maskToken = try token(.mask_token, default: maskToken)
        let added =
            try values.decodeIfPresent([Int: AddedToken].self, forKey: .added_tokens_decoder) ?? [:]
        let named = specialTokens.map { Array($0.content.unicodeScalars) }
        otherTokens = added.sorted { $0.key < $1.key }.map(\.value)
            .filter { !named.contains(Array($0.content.unicodeScalars)) }
    }
}
