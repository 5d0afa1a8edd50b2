/// The tokens that have a part to play, as `tokenizer_config.json` names them, or else
/// `special_tokens_map.json`.
struct TokenRoles {
    var padding: String?
    var beginningOfText: String?
    var endOfText: String?

    static func load(from folder: TokenizerFolder) throws -> TokenRoles {
        let settings = try folder.decodeIfPresent(RoleNames.self, TokenizerSettings.fileName)
        let map = try folder.decodeIfPresent(RoleNames.self, "special_tokens_map.json")
        return TokenRoles(
            padding: settings?.padding ?? map?.padding,
            beginningOfText: settings?.beginningOfText ?? map?.beginningOfText,
            endOfText: settings?.endOfText ?? map?.endOfText)
    }
}

private struct RoleNames: Decodable {
    let padding: String?
    let beginningOfText: String?
    let endOfText: String?

    private enum CodingKeys: String, CodingKey { case pad_token, bos_token, eos_token }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func name(_ key: CodingKeys) throws -> String? {
            try values.decodeIfPresent(NamedToken.self, forKey: key)?.token.content
        }
        padding = try name(.pad_token)
        beginningOfText = try name(.bos_token)
        endOfText = try name(.eos_token)
    }
}
