import DualJSON

/// The tokens that the files beside a vocabulary name, put together as `transformers` does
/// (`PreTrainedTokenizerBase._from_pretrained`, then `TokenizersBackend.__init__`).
///
/// `special_tokens_map.json` and `added_tokens.json`, which older releases wrote, count where
/// `tokenizer_config.json` has no `added_tokens_decoder`. Ids that stand in these files are only the
/// outcome of the order in which tokens were added: it is the order that is followed.
struct FolderTokens {
    static let mapName = "special_tokens_map.json"
    static let listName = "added_tokens.json"

    /// The tokens by the parts that they play.
    private(set) var named: [TokenRole: AddedToken] = [:]
    /// What `added_tokens_decoder` or `added_tokens.json` lists, by id.
    private var listed: [Int: AddedToken] = [:]
    /// Tokens that a model has of its own, such as `image_token`, by name.
    private var own = OwnTokens()
    /// Those of ``own`` that are keys of `tokenizer_config.json` itself, which the map replaces.
    private var ownKeys: Set<String> = []
    private var extra: [AddedToken] = []
    /// Whether `tokenizer_config.json` settles the extra tokens, be it that there are none.
    private var settlesExtra = false
    /// What makes a token of `added_tokens.json` special: the roles and extra tokens that are spelled
    /// alone, and those of `special_tokens_map.json`.
    private var spelledRoles: [TokenRole: String] = [:]
    private var spelledExtra: [String] = []
    /// Roles that `tokenizer_config.json` is silent about and `special_tokens_map.json` is not.
    private var mapped: [TokenRole: String] = [:]
    /// Whether special tokens that are spelled out in a text are text like any other.
    private(set) var splitsSpecialTokens = false

    subscript(role: TokenRole) -> AddedToken? { named[role] }

    /// The listed tokens by ascending id.
    var listedTokens: [(id: Int, token: AddedToken)] {
        listed.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// - Parameters:
    ///   - defaults: the tokens of the parts that no file gives to another.
    ///   - known: the added tokens of a `tokenizer.json`, by id.
    /// - Throws: ``TokenizerError`` for a token that is spelled in no way that `transformers` reads.
    static func load(
        from folder: TokenizerFolder, defaults: [TokenRole: String] = [:],
        known: [(id: Int, token: AddedToken)] = []
    ) throws -> FolderTokens {
        let reader = TokenFileReader(folder: folder)
        var tokens = FolderTokens()
        tokens.named = defaults.mapValues { AddedToken(content: $0) }
        let settings = try reader.fields(of: TokenizerSettings.fileName)
        try tokens.read(settings, reader)
        if let list = try settings.tokensByID("added_tokens_decoder") {
            tokens.listed = list
            try tokens.readRoles(of: reader.fields(of: mapName))
        } else {
            try tokens.readMap(reader.fields(of: mapName))
            try tokens.readList(reader.fields(of: listName))
            for (id, token) in known { tokens.listed[id] = token }
        }
        // A role is spelled alone more often than not; how it is matched stands in the list.
        for (_, token) in tokens.listedTokens {
            for (role, other) in tokens.named where token.isSpelled(like: other) {
                tokens.named[role] = token
            }
        }
        return tokens
    }

    /// What is added to the tokens that are added already, in the order in which it gets its ids. One
    /// among it that is known otherwise changes how that is matched.
    func additions(to known: [AddedToken] = []) -> [AddedToken] {
        var added = listedTokens.map(\.token)
        let roles = TokenRole.allCases.compactMap { named[$0] } + own.tokens
        let spelled = Set((known + added).map { Array($0.content.utf8) })
        // One that is named again is matched as the last of its names says.
        for token in roles + extra
        where !spelled.contains(Array(token.content.utf8))
            && !added.contains(where: token.isIdentical(to:))
        {
            added.append(token)
        }
        return added.map { token in
            var token = token
            if roles.contains(where: token.isSpelled(like:)) { token.special = true }
            return token
        }
    }

    /// The spellings of the tokens that a text starts and ends with and that fill a batch up.
    var roles: TokenRoles {
        func spelling(_ role: TokenRole) -> String? { named[role]?.content ?? mapped[role] }
        return TokenRoles(
            padding: spelling(.padding), beginningOfText: spelling(.beginning),
            endOfText: spelling(.end))
    }
}

extension FolderTokens {
    /// Reads `tokenizer_config.json`.
    private mutating func read(_ settings: TokenFields, _ reader: TokenFileReader) throws {
        for role in TokenRole.allCases {
            guard let value = settings[role.rawValue] else { continue }
            named[role] = try value.isNull ? nil : value.token(special: true)
            spelledRoles[role] = value.value.text
        }
        splitsSpecialTokens = try settings["split_special_tokens"]?.flag() ?? false
        for name in ["extra_special_tokens", "additional_special_tokens"] where extra.isEmpty {
            guard let value = settings[name], !value.isObject else { continue }
            extra = try value.tokens(special: nil)
            spelledExtra = value.spelledAlone
            settlesExtra = true
        }
        var explicit = try settings.ownTokens(areObjects: false)
        if let value = settings["extra_special_tokens"], value.isObject {
            if !value.value.saysNothing { settlesExtra = false }
            explicit.merge(try value.namedTokens())
        }
        // This key counts only where no other place names a token of the model's own.
        if explicit.isEmpty, let value = settings["model_specific_special_tokens"], !value.isNull {
            explicit = try value.namedTokens()
        }
        own = try settings.ownTokens(areObjects: true)
        ownKeys = own.names
        own.merge(explicit)
    }

    /// Reads `special_tokens_map.json`, which comes over `tokenizer_config.json`.
    private mutating func readMap(_ map: TokenFields) throws {
        for role in TokenRole.allCases {
            guard let value = map[role.rawValue] else { continue }
            named[role] = try value.isNull ? nil : value.token(special: true)
            spelledRoles[role] = named[role]?.content
        }
        var mapped = try map.ownTokens(areObjects: false)
        mapped.merge(try map.ownTokens(areObjects: true))
        if let value = map["extra_special_tokens"] {
            if value.isObject {
                own.merge(try value.namedTokens())
            } else {
                settlesExtra = true
                for token in try value.tokens(special: true) {
                    spelledExtra.append(token.content)
                    if !extra.contains(where: token.isIdentical(to:)) { extra.append(token) }
                }
            }
        }
        if !settlesExtra, let value = map["additional_special_tokens"] {
            extra = try value.tokens(special: true)
        }
        let replaced = mapped.filter { ownKeys.contains($0) }
        mapped.merge(own)
        mapped.merge(replaced)
        own = mapped
    }

    /// Reads `added_tokens.json`: tokens and their ids.
    private mutating func readList(_ list: TokenFields) throws {
        let special = Set((spelledRoles.values + spelledExtra).map { Array($0.utf8) })
        for field in list.members {
            var token = AddedToken(content: field.key)
            token.special = special.contains(Array(field.key.utf8))
            token.normalized = !token.special
            listed[try field.id()] = token
        }
    }

    /// Reads no more of `special_tokens_map.json` than which tokens play a part: it adds none.
    private mutating func readRoles(of map: TokenFields) throws {
        for role in TokenRole.allCases {
            guard let value = map[role.rawValue], !value.isNull else { continue }
            mapped[role] = try value.token(special: true).content
        }
    }
}

/// Tokens by the names of their keys, in their order; one that is named again keeps its place.
struct OwnTokens {
    private var members: [(name: String, token: AddedToken)] = []

    var tokens: [AddedToken] { members.map(\.token) }
    var names: Set<String> { Set(members.map(\.name)) }
    var isEmpty: Bool { members.isEmpty }

    /// Those whose names satisfy a condition.
    func filter(_ isWanted: (String) -> Bool) -> OwnTokens {
        OwnTokens(members: members.filter { isWanted($0.name) })
    }

    mutating func set(_ name: String, _ token: AddedToken) {
        if let known = members.firstIndex(where: { $0.name == name }) {
            members[known].token = token
        } else {
            members.append((name, token))
        }
    }

    mutating func merge(_ other: OwnTokens) {
        for (name, token) in other.members { set(name, token) }
    }
}

extension AddedToken {
    /// Whether the other has the same scalars, which `==` on `String` does not ask.
    func isSpelled(like other: AddedToken) -> Bool {
        content.utf8.elementsEqual(other.content.utf8)
    }

    func isIdentical(to other: AddedToken) -> Bool {
        self == other && isSpelled(like: other)
    }
}
