import Foundation

/// A BERT tokenizer given as `vocab.txt`, one token a line, and `tokenizer_config.json`.
///
/// The result is that of `BertWordPieceTokenizer(vocab.txt, ...)` of `tokenizers`: lines are read
/// as `WordPiece.read_file` reads them, and special tokens are those that the vocabulary has.
struct VocabularyFile {
    private static let name = "vocab.txt"

    static func load(from folder: TokenizerFolder) throws -> Tokenizer {
        let settings =
            try folder.decodeIfPresent(TokenizerSettings.self, TokenizerSettings.fileName)
            ?? TokenizerSettings()
        let file = folder.path(name)
        let vocabulary = try Vocabulary(lines: lines(of: folder.text(name)), file: file)
        func required(_ token: AddedToken, _ field: String) throws -> Piece {
            guard let id = vocabulary.id(for: token.content) else {
                throw TokenizerError.missingToken(file: file, field: field, token: token.content)
            }
            return Piece(id: id, token: token.content)
        }
        let unknown = try required(settings.unknownToken, "unk_token")
        let separator = try required(settings.separatorToken, "sep_token")
        let classification = try required(settings.classificationToken, "cls_token")
        let normalizer = BertNormalizer(
            separatesChinese: settings.separatesChinese, stripsAccents: settings.stripsAccents,
            lowercases: settings.lowercases)
        let special = settings.specialTokens.filter { vocabulary.id(for: $0.content) != nil }
        return Tokenizer(
            normalizer: normalizer,
            preTokenizer: BertPreTokenizer(),
            model: WordPiece(vocabulary: vocabulary, unknownID: unknown.id),
            addedTokens: try AddedTokens(
                special + settings.otherTokens, vocabulary: vocabulary, normalizer: normalizer,
                file: folder.path(TokenizerSettings.fileName)),
            postProcessor: TemplateProcessing(
                classification: classification, separator: separator),
            decoder: WordPieceDecoder(),
            roles: try TokenRoles.load(from: folder))
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

/// The part of `tokenizer_config.json` that this module reads.
struct TokenizerSettings: Decodable {
    static let fileName = "tokenizer_config.json"

    var lowercases = true
    var stripsAccents: Bool?
    var separatesChinese = true
    var unknownToken = AddedToken(content: "[UNK]")
    var separatorToken = AddedToken(content: "[SEP]")
    var paddingToken = AddedToken(content: "[PAD]")
    var classificationToken = AddedToken(content: "[CLS]")
    var maskToken = AddedToken(content: "[MASK]")
    /// Tokens of `added_tokens_decoder` beyond the five above, by ascending id.
    var otherTokens: [AddedToken] = []

    var specialTokens: [AddedToken] {
        [unknownToken, separatorToken, classificationToken, paddingToken, maskToken]
    }

    private enum CodingKeys: String, CodingKey {
        case do_lower_case, strip_accents, tokenize_chinese_chars, added_tokens_decoder
        case unk_token, sep_token, pad_token, cls_token, mask_token
    }

    init() {}

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func token(_ key: CodingKeys, default standard: AddedToken) throws -> AddedToken {
            try values.decodeIfPresent(NamedToken.self, forKey: key)?.token ?? standard
        }
        lowercases = try values.decodeIfPresent(Bool.self, forKey: .do_lower_case) ?? true
        stripsAccents = try values.decodeIfPresent(Bool.self, forKey: .strip_accents)
        separatesChinese =
            try values.decodeIfPresent(Bool.self, forKey: .tokenize_chinese_chars) ?? true
        unknownToken = try token(.unk_token, default: unknownToken)
        separatorToken = try token(.sep_token, default: separatorToken)
        paddingToken = try token(.pad_token, default: paddingToken)
        classificationToken = try token(.cls_token, default: classificationToken)
        maskToken = try token(.mask_token, default: maskToken)
        let added =
            try values.decodeIfPresent([Int: AddedToken].self, forKey: .added_tokens_decoder) ?? [:]
        let named = specialTokens.map { Array($0.content.unicodeScalars) }
        otherTokens = added.sorted { $0.key < $1.key }.map(\.value)
            .filter { !named.contains(Array($0.content.unicodeScalars)) }
    }
}

/// A special token as `tokenizer_config.json` names it: a string, or an object with flags.
struct NamedToken: Decodable {
    let token: AddedToken

    private enum CodingKeys: String, CodingKey {
        case content, single_word, lstrip, rstrip, normalized
    }

    init(from decoder: any Decoder) throws {
        if let content = try? decoder.singleValueContainer().decode(String.self) {
            token = AddedToken(content: content)
            return
        }
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func flag(_ key: CodingKeys) throws -> Bool {
            try values.decodeIfPresent(Bool.self, forKey: key) ?? false
        }
        token = AddedToken(
            content: try values.decode(String.self, forKey: .content),
            singleWord: try flag(.single_word), stripsLeft: try flag(.lstrip),
            stripsRight: try flag(.rstrip), normalized: try flag(.normalized))
    }
}
