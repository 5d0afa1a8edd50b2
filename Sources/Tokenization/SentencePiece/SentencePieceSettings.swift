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
        case do_lower_case, split_by_punct
    }

    private(set) var convention = Convention.llama
    private var flags: [CodingKeys: Bool] = [:]

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
        return settings
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

    func beginning(_ tokens: FolderTokens) -> FrameToken {
        guard convention == .llama else { return debertaToken(.classification, tokens) }
        return llamaToken(.beginning, flags[.add_bos_token], isStandard: true)
    }

    func end(_ tokens: FolderTokens) -> FrameToken {
        guard convention == .llama else { return debertaToken(.separator, tokens) }
        return llamaToken(.end, flags[.add_eos_token], isStandard: false)
    }

    private func debertaToken(_ role: TokenRole, _ tokens: FolderTokens) -> FrameToken {
        FrameToken(
            token: tokens[role]?.content, isAdded: true, isAskedFor: true, field: role.rawValue)
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

    /// The tokens that no file names otherwise; LLaMA's model has its own.
    var standardTokens: [TokenRole: String] {
        switch convention {
        case .llama: [:]
        case .deberta:
            [
                .beginning: "[CLS]", .end: "[SEP]", .unknown: "[UNK]", .separator: "[SEP]",
                .padding: "[PAD]", .classification: "[CLS]", .mask: "[MASK]",
            ]
        }
    }
}
