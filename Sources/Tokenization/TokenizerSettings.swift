/// The part of `tokenizer_config.json` that this module reads.
struct TokenizerSettings: Decodable {
    static let fileName = "tokenizer_config.json"

    var lowercases = true
    var stripsAccents: Bool?
    var separatesChinese = true
    private var named: [TokenRole: AddedToken] = [:]
    /// Tokens of `added_tokens_decoder` beyond the special ones, by ascending id.
    var otherTokens: [AddedToken] = []

    /// BERT's special tokens, in the order in which they are added.
    private static let standard: KeyValuePairs<TokenRole, String> = [
        .unknown: "[UNK]", .separator: "[SEP]", .classification: "[CLS]", .padding: "[PAD]",
        .mask: "[MASK]",
    ]

    func token(_ role: TokenRole) -> AddedToken {
        named[role] ?? AddedToken(content: Self.standard.first { $0.key == role }?.value ?? "")
    }

    var specialTokens: [AddedToken] { Self.standard.map { token($0.key) } }

    private enum CodingKeys: String, CodingKey {
        case do_lower_case, strip_accents, tokenize_chinese_chars, added_tokens_decoder
    }

    init() {}

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        lowercases = try values.decodeIfPresent(Bool.self, forKey: .do_lower_case) ?? true
        stripsAccents = try values.decodeIfPresent(Bool.self, forKey: .strip_accents)
        separatesChinese =
            try values.decodeIfPresent(Bool.self, forKey: .tokenize_chinese_chars) ?? true
        let roles = try decoder.container(keyedBy: TokenRole.self)
        for (role, _) in Self.standard {
            named[role] = try roles.decodeIfPresent(NamedToken.self, forKey: role)?.token
        }
        let added =
            try values.decodeIfPresent([Int: AddedToken].self, forKey: .added_tokens_decoder) ?? [:]
        let special = specialTokens.map { Array($0.content.unicodeScalars) }
        otherTokens = added.sorted { $0.key < $1.key }.map(\.value)
            .filter { !special.contains(Array($0.content.unicodeScalars)) }
    }
}
