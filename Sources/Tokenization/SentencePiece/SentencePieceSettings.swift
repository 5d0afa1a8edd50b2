/// The part of `tokenizer_config.json` that says how a SentencePiece model is used.
struct SentencePieceSettings: Decodable {
    static let fileName = TokenizerSettings.fileName

    /// The rules of a tokenizer class of `transformers`.
    enum Convention: String, CaseIterable {
        /// `<s> A`, and `<s> A <s> B:1` for a pair.
        case llama = "LlamaTokenizer"
        /// `[CLS] A [SEP]`, and `[CLS] A [SEP] B:1 [SEP]:1` for a pair.
        case deberta = "DebertaV2Tokenizer"
    }

    private enum CodingKeys: String, CodingKey {
        case tokenizer_class, add_bos_token, add_eos_token, add_prefix_space, legacy
        case do_lower_case, split_by_punct, added_tokens_decoder
    }

    private(set) var convention = Convention.llama
    private var flags: [CodingKeys: Bool] = [:]
    private var named: [TokenRole: AddedToken] = [:]
    /// `added_tokens_decoder`, by ascending id.
    private(set) var addedTokens: [(id: Int, token: AddedToken)] = []

    /// Where no class is named, `tokenizer.model` is a model of LLaMA, and `spm.model` of DeBERTa.
    /// Under other names go models of many classes.
    static func load(from folder: TokenizerFolder, model: String) throws -> SentencePieceSettings {
        var settings =
            try folder.decodeIfPresent(SentencePieceSettings.self, fileName)
            ?? SentencePieceSettings()
        if !settings.namesConvention {
            switch model {
            case "tokenizer.model": settings.convention = .llama
            case "spm.model": settings.convention = .deberta
            default:
                throw TokenizerError.missingKey(
                    file: folder.path(fileName), field: CodingKeys.tokenizer_class.rawValue)
            }
        }
        try settings.addOldTokens(from: folder)
        return settings
    }

    /// Adds the tokens of `added_tokens.json`, which older releases of `transformers` wrote.
    private mutating func addOldTokens(from folder: TokenizerFolder) throws {
        let listed = try folder.decodeIfPresent([String: Int].self, "added_tokens.json") ?? [:]
        let known = Set(addedTokens.map { Array($0.token.content.utf8) })
        for (content, id) in listed where !known.contains(Array(content.utf8)) {
            addedTokens.append((id, AddedToken(content: content)))
        }
        addedTokens.sort { $0.id < $1.id }
    }

    private var namesConvention = false

    private init() {}

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        if let name = try values.decodeIfPresent(String.self, forKey: .tokenizer_class) {
            let plain = name.hasSuffix("Fast") ? String(name.dropLast(4)) : name
            guard let named = Convention(rawValue: plain) else {
                throw UnsupportedType(
                    field: CodingKeys.tokenizer_class.rawValue, found: name,
                    supported: Convention.allCases.map(\.rawValue).sorted())
            }
            (convention, namesConvention) = (named, true)
        }
        for key: CodingKeys in [
            .add_bos_token, .add_eos_token, .add_prefix_space, .legacy, .do_lower_case,
            .split_by_punct,
        ] {
            flags[key] = try values.decodeIfPresent(Bool.self, forKey: key)
        }
        guard flags[.split_by_punct] != true else {
            throw DecodingError.dataCorruptedError(
                forKey: .split_by_punct, in: values,
                debugDescription:
                    "a split at punctuation is not supported with a SentencePiece model")
        }
        let roles = try decoder.container(keyedBy: TokenRole.self)
        for role in TokenRole.allCases {
            named[role] = try roles.decodeIfPresent(NamedToken.self, forKey: role)?.token
        }
        addedTokens =
            (try values.decodeIfPresent([Int: AddedToken].self, forKey: .added_tokens_decoder)
            ?? [:]).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}

extension SentencePieceSettings {
    /// A token that may stand at one end of a text.
    struct FrameToken {
        /// nil leaves it to the files, or to the model.
        let token: String?
        let isAdded: Bool
        /// Whether the settings ask for it, so that it must be there.
        let isAskedFor: Bool
        let field: String
    }

    var beginning: FrameToken {
        guard convention == .llama else { return debertaToken(.classification, "[CLS]") }
        return llamaToken(.beginning, flags[.add_bos_token], isStandard: true)
    }

    var end: FrameToken {
        guard convention == .llama else { return debertaToken(.separator, "[SEP]") }
        return llamaToken(.end, flags[.add_eos_token], isStandard: false)
    }

    private func debertaToken(_ role: TokenRole, _ standard: String) -> FrameToken {
        FrameToken(
            token: named[role]?.content ?? standard, isAdded: true, isAskedFor: true,
            field: role.rawValue)
    }

    private func llamaToken(_ role: TokenRole, _ flag: Bool?, isStandard: Bool) -> FrameToken {
        FrameToken(
            token: nil, isAdded: flag ?? isStandard, isAskedFor: flag ?? false, field: role.rawValue
        )
    }

    /// Whether a space is put before a text at all.
    var addsPrefixSpace: Bool { flags[.add_prefix_space] ?? true }
    /// Whether a space is put before every stretch of text, and not before the first only.
    /// `transformers` 5 takes LLaMA's tokenizer for the new one unless told otherwise.
    var prefixesEverySegment: Bool { convention == .deberta || flags[.legacy] ?? false }
    var lowercases: Bool { convention == .deberta && flags[.do_lower_case] ?? false }

    /// The token that fills up; nil leaves it to the model.
    var paddingToken: String? { convention == .deberta ? "[PAD]" : nil }

    /// All tokens that have a part to play.
    var namedTokens: [AddedToken] {
        var named = named
        if convention == .deberta {
            let standard: [TokenRole: String] = [
                .classification: "[CLS]", .separator: "[SEP]", .unknown: "[UNK]",
                .padding: "[PAD]", .mask: "[MASK]",
            ]
            named.merge(standard.mapValues { AddedToken(content: $0) }) { given, _ in given }
        }
        return named.sorted { $0.key.rawValue < $1.key.rawValue }.map(\.value)
    }
}
