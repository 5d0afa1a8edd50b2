/// A byte-level tokenizer given as `vocab.json` and `merges.txt`, with `tokenizer_config.json`,
/// `special_tokens_map.json` and `added_tokens.json` where they are.
///
/// The result is that of `GPT2Tokenizer` or `RobertaTokenizer` of `transformers`, as the class that
/// `tokenizer_config.json` names, or else the `model_type` of `config.json`, asks for; without
/// either it is GPT-2's.
struct BytePairFiles {
    static let vocabularyName = "vocab.json"
    static let mergesName = "merges.txt"

    static func load(from folder: TokenizerFolder) throws -> Tokenizer {
        let family = try BytePairFamily.of(folder)
        let settings =
            try folder.decodeIfPresent(BytePairSettings.self, TokenizerSettings.fileName)
            ?? BytePairSettings()
        let tokens = try FolderTokens.load(from: folder, defaults: family.standardTokens)
        let vocabulary = try vocabulary(folder)
        let model = try BPE(
            vocabulary: vocabulary, merges: try merges(folder), options: BPE.Options(),
            file: folder.path(mergesName))
        let added = try AddedTokens(
            tokens.additions(), splitsSpecial: tokens.splitsSpecialTokens,
            vocabulary: vocabulary, normalizer: nil,
            file: folder.path(TokenizerSettings.fileName))
        return Tokenizer(
            normalizer: nil,
            preTokenizer: ByteLevelPreTokenizer(
                addsPrefixSpace: settings.addsPrefixSpace,
                pattern: try RegularExpression(ByteLevelPreTokenizer.gpt2Pattern)),
            model: model, addedTokens: added,
            postProcessor: try postProcessor(family, settings, tokens, added, folder),
            decoder: ByteLevelDecoder(),
            roles: tokens.roles)
    }

    private static func vocabulary(_ folder: TokenizerFolder) throws -> Vocabulary {
        let file = folder.path(vocabularyName)
        let (tokens, ids) = try folder.scan(folder.text(vocabularyName), vocabularyName) { json in
            let table = try ModelTables.vocabulary(&json, file: file, field: vocabularyName)
            guard json.peek() == nil else { throw json.unexpected("the end of the file") }
            return table
        }
        return try Vocabulary(tokens, ids: ids, file: file)
    }

    /// One merge a line; a line that starts with `#version` is passed over.
    private static func merges(_ folder: TokenizerFolder) throws -> TokenList {
        let file = folder.path(mergesName)
        var lines = try folder.text(mergesName).split(
            separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        var merges = TokenList()
        for line in lines {
            let text = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            try ModelTables.append(line: text, to: &merges, file: file, field: "merges")
        }
        return merges
    }

    private static func postProcessor(
        _ family: BytePairFamily, _ settings: BytePairSettings, _ tokens: FolderTokens,
        _ added: AddedTokens, _ folder: TokenizerFolder
    ) throws -> TemplateProcessing {
        func piece(_ role: TokenRole) throws -> Piece {
            guard let token = tokens[role]?.content, let id = added.id(for: token) else {
                throw TokenizerError.missingKey(
                    file: folder.path(TokenizerSettings.fileName), field: role.rawValue)
            }
            return Piece(id: id, token: token)
        }
        if family == .roberta {
            return TemplateProcessing(
                robertaClassification: try piece(.classification),
                separator: try piece(.separator))
        }
        let first = settings.addsBeginning ? [try piece(.beginning)] : []
        let last = settings.addsEnd ? [try piece(.end)] : []
        return TemplateProcessing(before: first, beforeSecond: first, behind: last)
    }
}
