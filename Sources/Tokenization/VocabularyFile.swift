/// A BERT tokenizer given as `vocab.txt`, one token a line, and `tokenizer_config.json`.
///
/// The result is that of `BertTokenizer` of `transformers`, but for lines, which are read as
/// `WordPiece.read_file` of `tokenizers` reads them.
struct VocabularyFile {
    private static let name = "vocab.txt"

    static func load(from folder: TokenizerFolder) throws -> Tokenizer {
        let settings =
            try folder.decodeIfPresent(TokenizerSettings.self, TokenizerSettings.fileName)
            ?? TokenizerSettings()
        let file = folder.path(name)
        let vocabulary = try Vocabulary(lines(of: folder.text(name)), file: file)
        let tokens = try FolderTokens.load(
            from: folder, defaults: TokenizerSettings.standardTokens)
        func required(_ role: TokenRole) throws -> Piece {
            let token = tokens[role]?.content ?? ""
            guard let id = vocabulary.id(for: token) else {
                throw TokenizerError.missingToken(file: file, field: role.rawValue, token: token)
            }
            return Piece(id: id, token: token)
        }
        let unknown = try required(.unknown)
        let separator = try required(.separator)
        let classification = try required(.classification)
        let normalizer = BertNormalizer(
            separatesChinese: settings.separatesChinese, stripsAccents: settings.stripsAccents,
            lowercases: settings.lowercases)
        return Tokenizer(
            normalizer: normalizer,
            preTokenizer: BertPreTokenizer(),
            model: WordPiece(vocabulary: vocabulary, unknownID: unknown.id),
            addedTokens: try AddedTokens(
                tokens.additions(), splitsSpecial: tokens.splitsSpecialTokens,
                vocabulary: vocabulary, normalizer: normalizer,
                file: folder.path(TokenizerSettings.fileName)),
            postProcessor: TemplateProcessing(
                classification: classification, separator: separator),
            decoder: WordPieceDecoder(),
            roles: tokens.roles)
    }

    /// Lines end at LF; white space at their end, a CR among it, is no part of the token.
    private static func lines(of bytes: [UInt8]) -> TokenList {
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        var tokens = TokenList()
        for line in lines {
            var scalars = String(decoding: line, as: UTF8.self).unicodeScalars[...]
            while let last = scalars.last, last.isRustWhitespace { scalars.removeLast() }
            tokens.append(Array(String(scalars).utf8))
        }
        return tokens
    }
}
