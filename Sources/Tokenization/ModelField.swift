/// The `model` of `tokenizer.json` but for its large tables, which `ModelTables` holds.
enum ModelField: Decodable {
    case bytePair(BPEField)
    case unigram(UnigramField)
    case wordPiece(WordPieceField)

    private static let supported = ["BPE", "Unigram", "WordPiece"]

    private enum CodingKeys: String, CodingKey { case type, merges, unk_id }

    /// A model without a type, as old files have it, is told by its fields, as in `tokenizers`.
    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let told = values.contains(.merges) ? "BPE" : values.contains(.unk_id) ? "Unigram" : nil
        let type = try values.contains(.type) ? decoder.type() : told ?? decoder.type()
        switch type {
        case "BPE": self = .bytePair(try BPEField(from: decoder))
        case "Unigram": self = .unigram(try UnigramField(from: decoder))
        case "WordPiece": self = .wordPiece(try WordPieceField(from: decoder))
        default: throw decoder.unsupported(type, Self.supported)
        }
    }

    func model(_ tables: ModelTables, file: String) throws -> any TokenModel {
        switch self {
        case .bytePair(let field): try field.model(tables, file: file)
        case .unigram(let field): try field.model(tables, file: file)
        case .wordPiece(let field): try field.model(tables, file: file)
        }
    }
}

extension ModelTables {
    func requiredVocabulary(file: String) throws(TokenizerError) -> Vocabulary {
        guard let vocabulary else { throw .missingKey(file: file, field: "model.vocab") }
        return try Vocabulary(
            vocabulary.tokens, ids: vocabulary.ids, file: file, field: "model.vocab")
    }
}
