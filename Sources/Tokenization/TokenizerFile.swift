/// `tokenizer.json`, the format of Hugging Face `tokenizers`, and the tokens that the files beside it
/// add.
struct TokenizerFile: Decodable {
    static let name = "tokenizer.json"

    private let addedTokens: [ListedToken]?
    private let normalizer: NormalizerField?
    private let preTokenizer: PreTokenizerField?
    private let model: ModelField
    private let postProcessor: PostProcessorField?
    private let decoder: DecoderField?

    private enum CodingKeys: String, CodingKey {
        case normalizer, model, decoder
        case addedTokens = "added_tokens"
        case preTokenizer = "pre_tokenizer"
        case postProcessor = "post_processor"
    }

    static func load(from folder: TokenizerFolder) throws -> Tokenizer {
        let path = folder.path(name)
        var bytes = try folder.text(name)
        let tables = try ModelTables.extract(from: &bytes, of: name, in: folder)
        let file = try folder.decode(TokenizerFile.self, from: bytes, name)
        let model = try file.model.model(tables, file: path)
        let normalizer = file.normalizer?.normalizer
        let known = try (file.addedTokens ?? []).enumerated().map { index, listed in
            (try listed.checkedID(at: index, file: path), listed.token)
        }
        let beside = try FolderTokens.load(from: folder, known: known)
        return Tokenizer(
            normalizer: normalizer,
            preTokenizer: file.preTokenizer?.preTokenizer,
            model: model,
            addedTokens: try AddedTokens(
                known.map(\.1), then: beside.additions(to: known.map(\.1)),
                splitsSpecial: beside.splitsSpecialTokens, vocabulary: model.vocabulary,
                normalizer: normalizer, file: path),
            postProcessor: file.postProcessor?.postProcessor ?? .plain,
            decoder: file.decoder?.decoder,
            roles: beside.roles)
    }
}

/// One of the `added_tokens`.
private struct ListedToken: Decodable {
    let id: Int
    let token: AddedToken

    private enum CodingKeys: String, CodingKey { case id }

    init(from decoder: any Decoder) throws {
        id = try decoder.container(keyedBy: CodingKeys.self).decode(Int.self, forKey: .id)
        token = try AddedToken(from: decoder)
    }

    func checkedID(at index: Int, file: String) throws(TokenizerError) -> Int {
        guard 0...Int(UInt32.max) ~= id else {
            throw .invalidValue(
                file: file, field: "added_tokens[\(index)].id", found: "\(id)",
                expected: "an integer from 0 to \(UInt32.max)")
        }
        return id
    }
}
