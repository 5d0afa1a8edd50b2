/// The part of `tokenizer_config.json` that says how BERT's rules are used.
struct TokenizerSettings: Decodable {
    static let fileName = "tokenizer_config.json"

    var lowercases = true
    var stripsAccents: Bool?
    var separatesChinese = true

    /// The tokens of BERT that no file names otherwise.
    static let standardTokens: [TokenRole: String] = [
        .unknown: "[UNK]", .separator: "[SEP]", .classification: "[CLS]", .padding: "[PAD]",
        .mask: "[MASK]",
    ]

    private enum CodingKeys: String, CodingKey {
        case do_lower_case, strip_accents, tokenize_chinese_chars
    }

    init() {}

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        lowercases = try values.decodeIfPresent(Bool.self, forKey: .do_lower_case) ?? true
        stripsAccents = try values.decodeIfPresent(Bool.self, forKey: .strip_accents)
        separatesChinese =
            try values.decodeIfPresent(Bool.self, forKey: .tokenize_chinese_chars) ?? true
    }
}
