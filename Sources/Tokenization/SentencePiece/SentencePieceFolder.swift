/// A tokenizer given as a SentencePiece model and `tokenizer_config.json`.
///
/// Text without special tokens gets the ids that `sentencepiece` gives it. The special tokens that
/// frame a text are those of the class that `tokenizer_config.json` names. Special tokens that are
/// spelled out in a text are found as `transformers` finds them: control pieces and added tokens,
/// literally. Behind one, a space is put before the text only where `legacy` is true.
///
/// Release 5 of `transformers` differs in plain text too: it puts no space before a text that
/// starts with one, and of DeBERTa's rules it takes others than the model's. Here the model holds.
struct SentencePieceFolder {
    static let fileNames = [
        "tokenizer.model", "spm.model", "spiece.model", "sentencepiece.bpe.model",
    ]

    private let folder: TokenizerFolder
    private let name: String
    private let model: SentencePieceFile
    private let inventory: SentencePieceInventory
    private let settings: SentencePieceSettings

    private var file: String { folder.path(name) }

    /// Loads the first of the files that the folder has; nil when it has none.
    static func load(from folder: TokenizerFolder) throws -> Tokenizer? {
        guard let name = fileNames.first(where: folder.has) else { return nil }
        let settings = try SentencePieceSettings.load(from: folder, model: name)
        var model = try SentencePieceFile(folder.bytes(name), file: folder.path(name))
        if !settings.addsPrefixSpace { model.normalization.addsDummyPrefix = false }
        return try SentencePieceFolder(
            folder: folder, name: name, model: model,
            inventory: SentencePieceInventory(model, file: folder.path(name)), settings: settings
        ).tokenizer()
    }

    private func tokenizer() throws -> Tokenizer {
        let normalizer = try normalizer()
        let tokens = try FolderTokens.load(from: folder, defaults: settings.standardTokens)
        let roles = roles(tokens)
        let added = try AddedTokens(
            specialTokens(tokens), splitsSpecial: tokens.splitsSpecialTokens,
            vocabulary: inventory.vocabulary, normalizer: normalizer,
            file: folder.path(SentencePieceSettings.fileName))
        try check(added, against: tokens)
        return Tokenizer(
            normalizer: normalizer, preTokenizer: nil,
            model: model.training.algorithm == .bpe
                ? SentencePieceBPE(inventory) : SentencePieceUnigram(inventory),
            addedTokens: added,
            postProcessor: try template(added, roles, tokens),
            decoder: SentencePieceDecoder(inventory, of: model, denormalizer: try denormalizer()),
            roles: roles)
    }

    private func normalizer() throws(TokenizerError) -> any Normalizer {
        let normalizer = SentencePieceNormalizer(
            model.normalization,
            treatsWhitespaceAsSuffix: model.training.treatsWhitespaceAsSuffix,
            map: try map(of: model.normalization, "normalizer_spec"),
            symbols: inventory.userDefined, prefixesEverySegment: settings.prefixesEverySegment)
        guard settings.lowercases else { return normalizer }
        return NormalizerSequence(normalizers: [Lowercase(), normalizer])
    }

    private func denormalizer() throws(TokenizerError) -> SentencePieceNormalizer? {
        guard let rules = model.denormalization, !rules.characterMap.isEmpty else { return nil }
        return SentencePieceNormalizer(
            rules, treatsWhitespaceAsSuffix: false, map: try map(of: rules, "denormalizer_spec"),
            symbols: nil, prefixesEverySegment: true)
    }

    private func map(
        of rules: SentencePieceFile.Normalization, _ field: String
    ) throws(TokenizerError) -> CharacterMap? {
        guard !rules.characterMap.isEmpty else { return nil }
        return try CharacterMap(rules.characterMap) { reason -> TokenizerError in
            .unusableValue(file: file, field: "\(field).precompiled_charsmap", reason: reason)
        }
    }

    /// The tokens with a part to play, the control pieces of the model, and those that were added,
    /// all searched for as they are spelled.
    private func specialTokens(_ beside: FolderTokens) -> [AddedToken] {
        var tokens: [AddedToken] = []
        for (id, kind) in inventory.kinds.enumerated() where kind == .control || kind == .unknown {
            if let token = inventory.vocabulary.token(for: id) {
                tokens.append(AddedToken(content: token))
            }
        }
        // One that is added with flags is matched as these say.
        return (tokens + beside.additions()).map { token in
            var token = token
            token.normalized = false
            return token
        }
    }

    /// The ids of `added_tokens_decoder` must be those that the tokens have.
    private func check(
        _ added: AddedTokens, against tokens: FolderTokens
    ) throws(TokenizerError) {
        for (id, token) in tokens.listedTokens {
            let tokenID = added.id(for: token.content)
            guard tokenID != id else { continue }
            throw .invalidValue(
                file: folder.path(SentencePieceSettings.fileName),
                field: "added_tokens_decoder.\(id)", found: "'\(token.content)'",
                expected: tokenID.map { "under \($0), the id that this token has" } ?? "a token")
        }
    }

    /// The tokens that the files name, and else those of the model.
    private func roles(_ tokens: FolderTokens) -> TokenRoles {
        var roles = tokens.roles
        let padding = model.training.paddingToken
        roles.padding = roles.padding ?? inventory.controlID(of: padding).map { _ in padding }
        roles.beginningOfText = roles.beginningOfText ?? model.training.beginningToken
        roles.endOfText = roles.endOfText ?? model.training.endToken
        return roles
    }

    private func template(
        _ added: AddedTokens, _ roles: TokenRoles, _ tokens: FolderTokens
    ) throws(TokenizerError) -> TemplateProcessing {
        let first = try frame(settings.beginning(tokens), roles.beginningOfText, added)
        let last = try frame(settings.end(tokens), roles.endOfText, added)
        // A second text of DeBERTa has no token before it.
        let second = settings.convention == .llama ? first : []
        return TemplateProcessing(before: first, beforeSecond: second, behind: last)
    }

    /// The token at one end of a text. A model without a beginning or an end does without, unless
    /// the settings ask for one.
    private func frame(
        _ wish: SentencePieceSettings.FrameToken, _ standard: String?, _ added: AddedTokens
    ) throws(TokenizerError) -> [Piece] {
        guard wish.isAdded, let token = wish.token ?? standard else { return [] }
        if let id = added.id(for: token) { return [Piece(id: id, token: token)] }
        guard wish.isAskedFor else { return [] }
        throw .missingToken(file: file, field: wish.field, token: token)
    }
}
