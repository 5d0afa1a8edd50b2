/// The tokens that have a part to play, as `tokenizer_config.json` or `special_tokens_map.json` names
/// them.
///
/// As in transformers the latter comes first, but not where the former lists its added tokens.
struct TokenRoles {
    var padding: String?
    var beginningOfText: String?
    var endOfText: String?
    /// Whether the file lists its added tokens, too.
    var listsAddedTokens = false

    static func load(from folder: TokenizerFolder) throws -> TokenRoles {
        let settings = try folder.decodeIfPresent(TokenRoles.self, TokenizerSettings.fileName)
        let map = try folder.decodeIfPresent(TokenRoles.self, "special_tokens_map.json")
        let (first, second) = settings?.listsAddedTokens == true ? (settings, map) : (map, settings)
        return TokenRoles(
            padding: first?.padding ?? second?.padding,
            beginningOfText: first?.beginningOfText ?? second?.beginningOfText,
            endOfText: first?.endOfText ?? second?.endOfText)
    }
}

extension TokenRoles: Decodable {
    private enum CodingKeys: String, CodingKey {
        case pad_token, bos_token, eos_token, added_tokens_decoder
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func name(_ key: CodingKeys) throws -> String? {
            try values.decodeIfPresent(NamedToken.self, forKey: key)?.token.content
        }
        padding = try name(.pad_token)
        beginningOfText = try name(.bos_token)
        endOfText = try name(.eos_token)
        listsAddedTokens = values.contains(.added_tokens_decoder)
    }
}
