/// `tokenizer.json`, the format of Hugging Face `tokenizers`.
struct TokenizerFile: Decodable {
    static let name = "tokenizer.json"

    private let addedTokens: [AddedToken]?
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
        return Tokenizer(
            normalizer: normalizer,
            preTokenizer: file.preTokenizer?.preTokenizer,
            model: model,
            addedTokens: try AddedTokens(
                file.addedTokens ?? [], vocabulary: model.vocabulary, normalizer: normalizer,
                file: path),
            postProcessor: file.postProcessor?.postProcessor ?? .plain,
            decoder: file.decoder?.decoder,
            roles: try TokenRoles.load(from: folder))
    }
}
