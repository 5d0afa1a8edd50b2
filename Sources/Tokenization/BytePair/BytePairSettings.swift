/// What the files beside `vocab.json` and `merges.txt` say, put together as `transformers` does
/// (`PreTrainedTokenizerBase._from_pretrained`).
struct BytePairSettings {
    private(set) var addsPrefixSpace = false
    private(set) var addsBeginning = false
    private(set) var addsEnd = false
    private var named: [TokenRole: AddedToken] = [:]
    /// Listed tokens by ascending id.
    private var listed: [AddedToken] = []
    private var extra: [AddedToken] = []

    subscript(role: TokenRole) -> AddedToken? { named[role] }

    /// All added tokens, in the order in which they get their ids.
    var allTokens: [AddedToken] {
        let roles = TokenRole.allCases.compactMap { named[$0] }
        var tokens: [AddedToken] = []
        for token in listed + roles + extra where !tokens.contains(where: token.isSpelled(like:)) {
            var token = token
            if roles.contains(where: token.isSpelled(like:)) { token.special = true }
            tokens.append(token)
        }
        return tokens
    }

    static func load(
        from folder: TokenizerFolder, family: BytePairFamily
    ) throws -> BytePairSettings {
        var settings = BytePairSettings()
        settings.named = defaults(family)
        let configuration = try folder.decodeIfPresent(
            BytePairConfiguration.self, TokenizerSettings.fileName)
        if let configuration { settings.apply(configuration) }
        if let listed = configuration?.listed {
            settings.listed = listed
        } else {
            let map = try folder.decodeIfPresent(
                BytePairConfiguration.self, "special_tokens_map.json")
            if let map { settings.apply(map) }
            settings.listed = try settings.legacyTokens(folder)
        }
        for token in settings.listed {
            for (role, other) in settings.named where token.isSpelled(like: other) {
                settings.named[role] = token
            }
        }
        return settings
    }

    private static func defaults(_ family: BytePairFamily) -> [TokenRole: AddedToken] {
        let contents: [TokenRole: String] =
            switch family {
            case .gpt2:
                [
                    .beginning: "<|endoftext|>", .end: "<|endoftext|>", .unknown: "<|endoftext|>",
                ]
            case .roberta:
                [
                    .beginning: "<s>", .end: "</s>", .unknown: "<unk>", .separator: "</s>",
                    .padding: "<pad>", .classification: "<s>", .mask: "<mask>",
                ]
            }
        return contents.mapValues { AddedToken(content: $0) }
    }

    private mutating func apply(_ configuration: BytePairConfiguration) {
        for (role, token) in configuration.named { named[role] = token }
        extra += configuration.extra
        addsPrefixSpace = configuration.addsPrefixSpace ?? addsPrefixSpace
        addsBeginning = configuration.addsBeginning ?? addsBeginning
        addsEnd = configuration.addsEnd ?? addsEnd
    }

    /// The tokens of `added_tokens.json`, which has their ids.
    private func legacyTokens(_ folder: TokenizerFolder) throws -> [AddedToken] {
        let name = "added_tokens.json"
        guard folder.has(name) else { return [] }
        let (tokens, ids) = try folder.scan(folder.text(name), name) { json in
            try ModelTables.vocabulary(&json, file: folder.path(name), field: name)
        }
        let special = Array(named.values) + extra
        return ids.enumerated().sorted { $0.element < $1.element }.map { index, _ in
            var token = AddedToken(content: tokens.token(at: index))
            token.special = special.contains(where: token.isSpelled(like:))
            token.normalized = !token.special
            return token
        }
    }
}

extension AddedToken {
    fileprivate func isSpelled(like other: AddedToken) -> Bool {
        content.utf8.elementsEqual(other.content.utf8)
    }
}

/// `tokenizer_config.json` or `special_tokens_map.json`.
private struct BytePairConfiguration: Decodable {
    var named: [TokenRole: AddedToken?] = [:]
    var listed: [AddedToken]?
    var extra: [AddedToken] = []
    var addsPrefixSpace: Bool?
    var addsBeginning: Bool?
    var addsEnd: Bool?

    private enum CodingKeys: String, CodingKey {
        case add_prefix_space, add_bos_token, add_eos_token, added_tokens_decoder
        case additional_special_tokens, extra_special_tokens
    }

    init(from decoder: any Decoder) throws {
        let roles = try decoder.container(keyedBy: TokenRole.self)
        for role in TokenRole.allCases where roles.contains(role) {
            let token = try roles.decodeIfPresent(NamedToken.self, forKey: role)?.token
            named.updateValue(token, forKey: role)
        }
        let values = try decoder.container(keyedBy: CodingKeys.self)
        addsPrefixSpace = try values.decodeIfPresent(Bool.self, forKey: .add_prefix_space)
        addsBeginning = try values.decodeIfPresent(Bool.self, forKey: .add_bos_token)
        addsEnd = try values.decodeIfPresent(Bool.self, forKey: .add_eos_token)
        listed =
            try values.decodeIfPresent([Int: AddedToken].self, forKey: .added_tokens_decoder)?
            .sorted { $0.key < $1.key }.map(\.value)
        for key in [CodingKeys.additional_special_tokens, .extra_special_tokens] {
            extra +=
                try values.decodeIfPresent([NamedToken].self, forKey: key)?.map(\.token) ?? []
        }
    }
}
